"""The compiled part of the engine, where there is one: what is too slow in Python.

``library`` is the extension module, or ``None`` where it is not compiled, does not load, or is switched off by
``MANIMCAST_NATIVE=off``. Whoever uses it has a way without it, with the same result; that is slower, so it is said
once in the log. ./dev and the wheel's build compile the extension (:mod:`.build`).
"""

from __future__ import annotations

import importlib
import logging
import os
from typing import Any

log = logging.getLogger(__name__)


def _load() -> tuple[Any, str]:
    if os.environ.get("MANIMCAST_NATIVE") == "off":
        return None, "switched off"
    try:
        module = importlib.import_module("manimcast.engine.native._native")
    except ImportError as error:
        log.warning("Drawing in Python, which is slow: the native part of the engine is not there (%s).", error)
        return None, "not compiled"
    return module, module.SOURCES[:12]


library: Any
library, version = _load()
"""The extension module or None, and what the fingerprint says of it."""
