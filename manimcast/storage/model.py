"""What a storage keeps of a finished render, and what can go wrong with it."""

from __future__ import annotations

from typing import Any

from pydantic import SerializerFunctionWrapHandler, model_serializer

from manimcast.spec import OutputFile, OutputRole, Strict

MEDIA_TYPES = {
    "mp4": "video/mp4",
    "webm": "video/webm",
    "mov": "video/quicktime",
    "gif": "image/gif",
    "png": "image/png",
    "jpg": "image/jpeg",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
    "json": "application/json",
}
"""The fixed content type of every kind of file that is handed out, by the ending of its name."""


class StorageError(Exception):
    """Files cannot be kept or read. The message says what to do about it."""


class BucketError(StorageError):
    """A bucket did not do what it was asked.

    ``is_lasting`` tells that it will not do so before somebody has changed something; else it may be down for a while.
    """

    def __init__(self, message: str, *, is_lasting: bool) -> None:
        super().__init__(message)
        self.is_lasting = is_lasting


class NoSuchFile(StorageError):  # noqa: N818 - it reads as what happened
    """There is no such file, or its name could not be one."""


class StoredFile(OutputFile):
    """One file that a storage keeps, with the SHA-256 of its bytes in hexadecimal.

    ``key`` is the name of the object that it is, or is to become, in a bucket; None when it lies on this machine only.
    ``on_its_way`` says that it was not there yet when this was written down, and may be there by now.
    """

    sha256: str
    key: str | None = None
    on_its_way: bool = False

    @model_serializer(mode="wrap")
    def _tersely(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Services of the version before, which run beside this one during an update, do not know it.
        said: dict[str, Any] = handler(self)
        if not self.on_its_way:
            said.pop("on_its_way", None)
        return said

    @property
    def media_type(self) -> str:
        """The content type that the file is served with."""
        return media_type(self.name)


class StoredResult(Strict):
    """The files of one finished render, and their name in the storage, if that is not the render's id."""

    place: str | None = None
    files: tuple[StoredFile, ...]

    @property
    def video(self) -> StoredFile:
        """The file that the client asked for."""
        return next(file for file in self.files if file.role is OutputRole.video)

    def file(self, role: OutputRole) -> StoredFile | None:
        """The first file with ``role``, if there is one."""
        return next((file for file in self.files if file.role is role), None)


def media_type(name: str) -> str:
    """Return the content type of a stored file by its name; what is not known is served as plain bytes."""
    return MEDIA_TYPES.get(name.rpartition(".")[2], "application/octet-stream")
