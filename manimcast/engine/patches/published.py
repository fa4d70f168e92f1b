"""Which arrays of pixels only the engine has: nobody else can have written into them.

An array is *private* from its making until somebody outside reads the attribute that it stands in.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

_private: weakref.WeakValueDictionary[int, np.ndarray] = weakref.WeakValueDictionary()


def keep(array: np.ndarray) -> None:
    """Note that nobody else has ``array``."""
    if type(array) is np.ndarray and array.dtype == np.uint8 and array.flags.c_contiguous and array.base is None:
        _private[id(array)] = array


def publish(array: Any) -> None:
    """Note that others may have ``array``."""
    if is_private(array):
        del _private[id(array)]


def is_private(array: Any) -> bool:
    """Whether nobody else has ``array``."""
    return array is not None and _private.get(id(array)) is array
