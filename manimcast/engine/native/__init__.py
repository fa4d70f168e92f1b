"""The compiled part of the engine, where there is one: what is too slow in Python.

``library`` is the extension module, or ``None`` where it is not compiled, does not load, or is switched off by
``MANIMCAST_NATIVE=off``. Whoever uses it has a way without it, with the same result; that is slower, so the log, the
service's log and the fingerprint of each render say it. ./dev and the wheel's build compile the extension
(:mod:`.build`).
"""

from __future__ import annotations

import importlib
import logging
import os
from typing import Any

log = logging.getLogger(__name__)


def _load() -> tuple[Any, str, str | None]:
    if os.environ.get("MANIMCAST_NATIVE") == "off":
        return None, "off", None
    try:
        module = importlib.import_module("manimcast.engine.native._native")
    except ImportError as error:
        complaint = f"The engine draws in Python, which is slow: its native part cannot be used ({error})."
        log.warning(complaint)
        return None, "none", complaint
    if not module.gradients(True):
        log.info("Gradients are laid by pixman: its calls cannot be led here, or its pixels are others.")
    return module, module.SOURCES[:12], None


library: Any
library, version, complaint = _load()
"""The extension module or None; what the fingerprint says of it; what its absence should be known for."""
