"""The executors that the settings ask for, the preferred one first."""

from __future__ import annotations

from manimcast.executors.base import Executor
from manimcast.executors.local import LocalExecutor
from manimcast.executors.modal.tokens import wanted
from manimcast.settings import Settings


def from_settings(settings: Settings) -> list[Executor]:
    """Return Modal, when it is wanted, and this machine."""
    local = LocalExecutor(settings)
    if not wanted(settings):
        return [local]
    # Only now: without Modal its client need not be installed, and the service starts faster.
    from manimcast.executors.modal.executor import ModalExecutor  # noqa: PLC0415

    return [ModalExecutor(settings), local]
