"""What an image says about the containers made from it. Nothing is built: its packages are those of the tests' Python.

Of all build steps only three show in a container here: ``ENV``, ``WORKDIR``, and files that were copied in.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from modal_proto import api_pb2 as pb


def layers(images: Mapping[str, pb.Image], image_id: str) -> Iterator[pb.Image]:
    """Yield the image and what it is based on, the base first."""
    if (image := images.get(image_id)) is not None:
        for base in image.base_images:
            yield from layers(images, base.image_id)
        yield image


def environment(images: Mapping[str, pb.Image], image_id: str) -> dict[str, str]:
    """Return what the image's ``ENV`` lines set."""
    found: dict[str, str] = {}
    for image in layers(images, image_id):
        for command in image.dockerfile_commands:
            if command.startswith("ENV "):
                found.update(part.partition("=")[::2] for part in shlex.split(command[4:]))
    return found


def workdir(images: Mapping[str, pb.Image], image_id: str) -> str:
    """Return the directory in which containers start."""
    found = "/root"
    for image in layers(images, image_id):
        for command in image.dockerfile_commands:
            if command.startswith("WORKDIR "):
                found = shlex.split(command)[1]
    return found


def copies(images: Mapping[str, pb.Image], image_id: str) -> Iterator[tuple[str, str]]:
    """Yield the mounts whose files were copied into the image, each with the directory that they went to."""
    for image in layers(images, image_id):
        for command in image.dockerfile_commands:
            if command.startswith("COPY . ") and image.context_mount_id:
                yield image.context_mount_id, shlex.split(command)[2]
