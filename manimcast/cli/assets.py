"""`--asset`: files of this machine that a scene has in its folder, as a render of the service has uploaded ones."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from manimcast.cli.outcome import refuse

if TYPE_CHECKING:
    from manimcast.attached import AssetUse
    from manimcast.executors.attachment import Attachment

ASSET = Annotated[
    list[str] | None,
    typer.Option(
        "--asset",
        metavar="[NAME=]FILE",
        help="Picture, font, sound, data, Python module or zip that the scene has beside it, as NAME. May be repeated.",
    ),
]


@dataclass(frozen=True)
class Given:
    """What the option names: what a spec says of each file, and the open files."""

    uses: tuple[AssetUse, ...] = ()
    attached: tuple[Attachment, ...] = ()


def open_assets(given: Sequence[str] | None, files: ExitStack) -> Given:
    """Open the files that the option names; they are closed with ``files``. What is wrong ends the command."""
    if not given:
        return Given()
    from manimcast.assets.kinds import HEAD_BYTES, KindError, kind_of  # noqa: PLC0415  --help needs none of it
    from manimcast.attached import AssetUse, asset_id  # noqa: PLC0415
    from manimcast.executors.attachment import Attachment  # noqa: PLC0415
    from manimcast.names import check_name  # noqa: PLC0415

    uses, attached = [], []
    for entry in given:
        name, separator, path = entry.partition("=")
        path = path if separator else entry
        name = name if separator else Path(path).name
        try:
            file = files.enter_context(Path(path).open("rb"))  # noqa: SIM115  the caller closes it
            content = file.read()
            found = kind_of(name.rpartition("/")[2], content[:HEAD_BYTES], is_text=_is_text(content))
            identity = asset_id(hashlib.sha256(content).hexdigest())
            uses.append(AssetUse(id=identity, name=check_name(name), kind=found.kind, bytes=len(content)))
        except OSError as error:
            refuse(f"--asset: cannot read {path}: {error.strerror or error}")
        except (ValueError, KindError) as error:
            refuse(f"--asset: {error}")
        attached.append(Attachment(file, len(content)))
    return Given(tuple(uses), tuple(attached))


def _is_text(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\0" not in content
