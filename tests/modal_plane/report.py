"""What the control plane tells about itself, read and written as JSON."""

from __future__ import annotations

from pydantic import BaseModel


class Address(BaseModel):
    """The one line that the process prints: where it is, and what gets one in."""

    server_url: str
    token_id: str
    token_secret: str
    control: str
    """Where blobs are kept and this interface is."""
    pid: int
    directory: str
    """What is left on disk when it is killed."""


class ContainerReport(BaseModel):
    """A container. ``pid`` is 0 until its process is there; ``inputs`` are those that run in it."""

    id: str
    pid: int
    function: str
    app: str
    inputs: list[str]
    calls: list[str]
    idle: bool
    asked: bool


class CallReport(BaseModel):
    """A function call. ``states`` and ``statuses`` (what the result was) go by input."""

    id: str
    function: str
    states: list[str]
    statuses: list[str]
    runs: list[int]
    retries: list[int]
    chunks: int
    canceled: bool
    formats: list[str]
    """In which formats its chunks and results came: ``pickle``, ``cbor``, ``generator_done``, ``unspecified``."""


class FunctionReport(BaseModel):
    """What a function's definition says. Memory is in MiB; formats are the names of Modal's data formats."""

    id: str
    name: str
    app: str
    environment: str
    deployed: bool
    generator: bool
    cpu: float
    memory: int
    timeout: int
    retries: int
    block_network: bool
    restrict_modal_access: bool
    single_use_containers: bool
    snapshot: bool
    min_containers: int
    buffer_containers: int
    max_containers: int
    scaledown_window: int
    secrets: int
    input_formats: list[str]
    output_formats: list[str]
    image: str
    pending: int


class ImageReport(BaseModel):
    """An image: its build's Dockerfile commands and the names of files sent along, its bases' first."""

    id: str
    commands: list[str]
    context_files: list[str]


class AppReport(BaseModel):
    """An app. ``state`` is ``deployed``, ``ephemeral``, ``stopped`` or another of Modal's."""

    id: str
    name: str
    description: str
    environment: str
    state: str
    versions: int


class FaultReport(BaseModel):
    """A fault that was switched on, and how often it struck."""

    id: int
    name: str
    struck: int
    cleared: bool


class LogReport(BaseModel):
    """A piece of output."""

    container: str
    text: str


class Report(BaseModel):
    """Everything. ``errors`` are tracebacks of the control plane's own; a test that finds one has found a bug."""

    scene_user: str
    environments: list[str]
    apps: list[AppReport]
    functions: list[FunctionReport]
    containers: list[ContainerReport]
    calls: list[CallReport]
    images: list[ImageReport]
    faults: list[FaultReport]
    logs: list[LogReport]
    requests: dict[str, int]
    unimplemented: dict[str, int]
    errors: list[str]
