"""Start the service: `python run.py`. ASGI servers find it as `run:app`.

Settings come from the environment and from `.env`; `.env.example` lists them.
"""

from __future__ import annotations

import sys
from typing import Any


def __getattr__(name: str) -> Any:
    # Made when it is first asked for, so that `python run.py` opens its port before it imports the rest.
    if name != "app":
        raise AttributeError(name)
    from manimcast.api.lifecycle import assemble  # noqa: PLC0415
    from manimcast.settings import load  # noqa: PLC0415
    from manimcast.telemetry import configure  # noqa: PLC0415

    settings = load()
    configure(settings.log_format, settings.log_level)
    app = globals()["app"] = assemble(settings)
    return app


if __name__ == "__main__":
    try:
        from manimcast.api.server import main
    except ModuleNotFoundError as error:
        sys.exit(f"manimcast: {error}. Install what it needs: ./dev setup, or pip install -r requirements.txt")
    main()
