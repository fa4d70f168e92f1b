"""Tests here find a running control plane as those of the control plane itself do."""

from __future__ import annotations

from tests.modal_plane.conftest import modal_plane, module_plane

__all__ = ["modal_plane", "module_plane"]
