"""Assets as a render has them: what it is called there, of what kind it is, how long it is.

The bytes travel on their own; the id is made of their SHA-256, so that what a spec says decides the frames.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from manimcast.names import FileName, SourcedName, check_together

PREFIX = "ast_"
MAX_ASSETS = 100
"""Of one render."""
MAX_ASSET_BYTES = 1 << 30

AssetId = Annotated[str, StringConstraints(pattern=r"^ast_[0-9a-f]{64}$")]
"""``ast_`` and the SHA-256 of the bytes."""


class AssetKind(StrEnum):
    """What an asset is for, by its content."""

    image = "image"
    svg = "svg"
    font = "font"
    sound = "sound"
    data = "data"
    python = "python"
    archive = "archive"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AssetRef(_Model):
    """An asset that a render asks for. ``name`` is what its file is called there, by default the asset's own name."""

    id: AssetId
    name: FileName | None = None


class AssetUse(_Model):
    """An asset that a render has: ``bytes`` long, and called ``name`` there. An archive is unpacked in its place."""

    id: AssetId
    name: FileName
    kind: AssetKind
    bytes: int = Field(ge=0, le=MAX_ASSET_BYTES)

    @property
    def sha256(self) -> str:
        """The digest of its content."""
        return self.id.removeprefix(PREFIX)


def _as_object(value: Any) -> Any:
    return {"id": value} if isinstance(value, str) else value


Reference = Annotated[AssetRef, BeforeValidator(_as_object, json_schema_input_type=str | AssetRef)]
"""An asset's id alone, or with a name."""


def asset_id(sha256: str) -> str:
    """Return the id of an asset with this digest."""
    return PREFIX + sha256


def check_beside(files: Iterable[str], names: Iterable[str | None]) -> None:
    """Raise :class:`ValueError` when assets called ``names`` cannot lie beside ``files`` and each other.

    The name of an asset that is not known yet is None.
    """
    attached = (SourcedName.of(name, f"assets[{index}]") for index, name in enumerate(names) if name is not None)
    try:
        check_together((*files, *attached))
    except ValueError as error:
        raise ValueError(f'assets: {error}; call an asset otherwise with {{"id": ..., "name": ...}}') from None
