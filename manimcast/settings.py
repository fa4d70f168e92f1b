"""Every setting of the service: one field, one environment variable, one default that works.

Settings come from the environment and from a ``.env`` file in the working directory; the environment wins.
The variable is the field's name in capitals. docs/reference/settings.md and .env.example list all of them, and
a test fails when one is missing there.
"""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from manimcast import processors
from manimcast.storage_settings import StorageSettings
from manimcast.webhook_settings import WebhookSettings

MIB = 1024 * 1024
ANONYMOUS = "anonymous"
"""The tenant of whoever sends no key."""


class LogFormat(StrEnum):
    """How log lines look."""

    console = "console"
    json = "json"


class ResultCache(StrEnum):
    """Whether finished renders are kept for the same request again."""

    on = "on"
    off = "off"


class Role(StrEnum):
    """What a service process does; see :mod:`manimcast.api.lifecycle`."""

    all = "all"
    api = "api"
    worker = "worker"


class Migrate(StrEnum):
    """Whether a service brings its database up to date when it starts."""

    on = "on"
    off = "off"


class SandboxMode(StrEnum):
    """How much confinement is insisted upon; see :attr:`Settings.sandbox`."""

    strict = "strict"
    weak = "weak"
    off = "off"


class SettingsError(Exception):
    """The configuration cannot be used. The message names every wrong variable."""


class Settings(StorageSettings, WebhookSettings):
    """The service's configuration. Sizes are in MiB, times in seconds."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    role: Role = Field(
        Role.all,
        description="`api`: take requests and run nothing. `worker`: run what is queued, and only answer for health. "
        "`all`: both.",
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    public_url: str | None = Field(
        None,
        description="Address that clients reach the service under, used in links. Default: the request's.",
    )
    allow_anonymous: bool = Field(False, description="Serve on an address other than loopback without API keys.")
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Keys that clients must send, each `tenant:key` or just `key`, separated by commas."
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Web origins whose pages may call the API, separated by commas."
    )
    data_dir: Path = Field(Path("data"), description="Folder of the database, videos and working files.")
    database_url: str | None = Field(
        None, description="Database, `postgresql://...` when several services share one. Default: SQLite in DATA_DIR."
    )
    migrate: Migrate = Field(
        Migrate.on,
        description="`on`: bring the database up to date at the start. `off`: start only if it is; "
        "`manimcast migrate` brings it there.",
    )
    shared_data_dir: bool = Field(
        False, description="DATA_DIR is one folder for all services that share the database, as a network's may be."
    )
    render_slots: int | None = Field(
        None, ge=1, le=1024, description="Renders that run at once. Default: one per two cores, at least one."
    )
    render_cores: int | None = Field(
        None, ge=1, le=1024, description="Processes that draw one render. Default: an equal share of the cores here."
    )
    queue_limit: int = Field(100, ge=0, description="Renders that may wait; beyond that the answer is 429.")
    batch_size: int = Field(5000, ge=1, description="Renders of one batch, at most.")
    batch_queue_limit: int = Field(
        20_000,
        ge=1,
        description="Renders of batches that may wait, besides QUEUE_LIMIT; beyond that the answer is 429.",
    )
    flight_limit: int = Field(
        10_000, ge=1, description="Equal requests that may wait for one render; together they take one place."
    )
    tenant_slots: int | None = Field(
        None, ge=1, description="Renders of one tenant that run at once, over all services. Default: as many as can."
    )
    idempotency_ttl: float = Field(86_400, gt=0, description="Seconds for which an `Idempotency-Key` is remembered.")
    lease_ttl: float = Field(
        15, ge=3, le=3600, description="Seconds after which another service takes over the renders of a silent one."
    )
    render_memory: int = Field(2048, ge=256, description="Memory of one render, in MiB.")
    render_timeout: float = Field(300, gt=0, description="Longest time one render may take, in seconds.")
    render_processes: int = Field(64, ge=4, description="Processes and threads that one render may have.")
    render_disk: int = Field(1024, ge=64, description="Files of one render, in MiB. They lie in memory.")
    render_files: int = Field(20_000, ge=100, description="Files and folders that one render may make.")
    sandbox: SandboxMode = Field(
        SandboxMode.strict,
        description="`strict`: render here only in the full sandbox. `weak`: with what this host offers of it. "
        "`off`: without, and only on loopback.",
    )
    sandbox_user: int = Field(
        60_998, ge=1000, lt=65_534, description="User and group id that renders get when the service is root."
    )
    sandbox_readable: Annotated[tuple[Path, ...], NoDecode] = Field(
        (), description="Folders that scenes may read besides the system's, such as fonts, separated by commas."
    )
    inspect_slots: int | None = Field(
        None, ge=1, le=1024, description="Dry runs at once, besides renders. Default: half of RENDER_SLOTS, rounded up."
    )
    inspect_timeout: float = Field(60, gt=0, description="Longest time one dry run may take, in seconds.")
    max_code_bytes: int = Field(262_144, ge=1, description="Largest scene code, with `files`, in bytes.")
    max_body_bytes: int = Field(1_048_576, ge=1024, description="Largest request body, in bytes.")
    max_batch_bytes: int = Field(16_777_216, ge=1024, description="Largest request body of a batch, in bytes.")
    max_asset_mib: int = Field(32, ge=1, le=1024, description="Largest asset, in MiB.")
    tenant_assets: int = Field(1000, ge=0, description="Assets that one tenant may have.")
    tenant_assets_mib: int = Field(1024, ge=0, description="Size of all assets of one tenant together, in MiB.")
    render_assets_mib: int = Field(64, ge=1, description="Size of the assets of one render together, in MiB.")
    max_pixels: int = Field(3840 * 2160, ge=256, description="Pixels of one frame, at most.")
    max_frame_rate: float = Field(120, ge=1, description="Frames per second, at most.")
    max_duration: float = Field(600, gt=0, description="Length of a video, in seconds, at most.")
    max_frames: int = Field(36_000, ge=1, description="Frames of a video, at most.")
    max_video_mib: int = Field(1024, ge=1, description="Size of a video, in MiB, at most.")
    prepared_tex: Path | None = Field(
        None,
        description="Folder of typeset TeX that saves renders LaTeX; `python -m manimcast.engine.prepare` fills it.",
    )
    tex_timeout: float = Field(30, gt=0, description="Longest time that LaTeX may take for one expression, in seconds.")
    tex_cache_mib: int = Field(
        256, ge=0, description="Size of the cache of typeset expressions in DATA_DIR, in MiB; 0 keeps none."
    )
    tex_formats_mib: int = Field(
        256, ge=0, description="Size of the cache of dumped TeX preambles in DATA_DIR, in MiB; 0 keeps none."
    )
    result_cache: ResultCache = Field(
        ResultCache.on, description="`on`: the same request again is answered without a render. `off`: never."
    )
    result_cache_mib: int = Field(
        1024, ge=0, description="Size of the cache of finished renders in DATA_DIR, in MiB; 0 keeps none."
    )
    segment_cache_mib: int = Field(
        512, ge=0, description="Size of the cache of encoded animations in DATA_DIR, in MiB; 0 keeps none."
    )
    recycle_renders: int = Field(
        200, ge=1, description="Renders after which the warm process is replaced by a fresh one."
    )
    video_ttl: float | None = Field(
        None, gt=0, description="Seconds after its end that a render's video is kept. Default: for ever."
    )
    record_ttl: float | None = Field(
        None, gt=0, description="Seconds after its end that a render is kept, with its video. Default: for ever."
    )
    failed_ttl: float | None = Field(
        None, gt=0, description="The same for renders without a video: failed or canceled. Default: RECORD_TTL."
    )
    cache_ttl: float | None = Field(
        None,
        gt=0,
        description="Seconds after their last use that entries of caches are kept. Default: while there is room.",
    )
    link_ttl: float = Field(86_400, gt=0, description="Seconds that a signed link to a video lives.")
    signing_key: SecretStr | None = Field(
        None,
        description="Key that signs links; give all replicas the same. Default: made once, kept in DATA_DIR.",
    )
    shutdown_grace: float = Field(20, ge=0, description="Seconds that running renders may still take after SIGTERM.")
    use_modal: bool | None = Field(
        None, description="Render on Modal. Default: if there are tokens for it, in the environment or its profile."
    )
    modal_token_id: str | None = Field(None, description="Modal's token. Default: the profile of `modal setup`.")
    modal_token_secret: SecretStr | None = Field(None, description="The secret of that token.")
    modal_environment: str | None = Field(
        None, description="Modal environment of the app. Default: the profile's, or Modal's own default."
    )
    modal_app_name: str = Field("manim-renderer-api", min_length=1, description="Name of the app on Modal.")
    modal_cores: float = Field(2, gt=0, le=64, description="Physical cores of one container. Takes a deploy.")
    modal_memory: int = Field(4096, ge=1024, description="Memory of one container, in MiB. Takes a deploy.")
    modal_timeout: int = Field(
        300, ge=30, le=86_400, description="Seconds that one call to a container may take. Takes a deploy."
    )
    modal_retries: int = Field(
        2, ge=0, le=10, description="Further tries on Modal after a container was lost; then the render falls back."
    )
    modal_min_containers: int = Field(0, ge=0, description="Containers that wait even when idle. Takes a deploy.")
    modal_buffer_containers: int = Field(0, ge=0, description="Further ones that wait under load. Takes a deploy.")
    modal_max_containers: int = Field(10, ge=1, le=1000, description="Containers at once. Takes a deploy.")
    modal_scaledown_window: int = Field(
        60, ge=2, le=3600, description="Seconds that a container waits before it is given up. Takes a deploy."
    )
    modal_snapshot: bool = Field(
        True, description="Start containers from a snapshot with manim imported. Takes a deploy."
    )
    modal_connect_timeout: float = Field(
        5, gt=0, description="Seconds to reach Modal and find the app, after which it counts as not available."
    )
    modal_start_timeout: float = Field(
        120, gt=0, description="Seconds until a container must have begun, its cold start included."
    )
    modal_silence_timeout: float = Field(30, gt=0, description="Seconds without a sign of life from a container.")
    modal_segments_mib: int = Field(
        16, ge=0, le=512, description="Kept animations that go to a container with a render, and back, in MiB. 0: none."
    )
    modal_breaker_failures: int = Field(
        3, ge=1, description="Failures in a row after which Modal is left alone for a while."
    )
    modal_breaker_pause: float = Field(
        15, gt=0, description="Seconds until it is looked after again; doubles up to ten minutes."
    )
    modal_price_core_second: float = Field(
        0.0000131, ge=0, description="US dollars for a second of a physical core on Modal, for estimates."
    )
    modal_price_gib_second: float = Field(
        0.00000222, ge=0, description="US dollars for a second of a GiB of memory on Modal, for estimates."
    )
    local_price_core_second: float = Field(
        0, ge=0, description="US dollars for a second of a core of this machine, for estimates."
    )
    local_price_gib_second: float = Field(
        0, ge=0, description="US dollars for a second of a GiB of this machine's memory, for estimates."
    )
    log_format: LogFormat = Field(LogFormat.console, description="`console` for people, `json` for machines.")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least severity that is logged.")

    @field_validator("api_keys", "cors_origins", "sandbox_readable", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("sandbox_readable")
    @classmethod
    def _is_there(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        for path in value:
            if not path.exists():
                raise ValueError(f"there is no {path}")
        return value

    @field_validator("public_url")
    @classmethod
    def _is_web_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/") if value else None

    @model_validator(mode="after")
    def _is_not_open_by_accident(self) -> Self:
        answers_anybody = not self.api_keys and not self.allow_anonymous and self.role is not Role.worker
        if not self.on_loopback and answers_anybody:
            raise ValueError(
                f"HOST={self.host} would let anyone on the network render. Set API_KEYS, or ALLOW_ANONYMOUS=1 "
                "if something in front of the service checks who may call it."
            )
        return self

    @model_validator(mode="after")
    def _is_not_unconfined_in_public(self) -> Self:
        if self.sandbox is SandboxMode.off and not self.on_loopback:
            raise ValueError(
                f"SANDBOX=off runs scenes with all that the service may do, so it only listens on loopback, not on "
                f"HOST={self.host}. Leave SANDBOX out, or set HOST=127.0.0.1."
            )
        return self

    @model_validator(mode="after")
    def _has_a_whole_token(self) -> Self:
        if (self.modal_token_id is None) != (self.modal_token_secret is None):
            raise ValueError("MODAL_TOKEN_ID and MODAL_TOKEN_SECRET belong together; only one of them is set")
        return self

    @property
    def on_loopback(self) -> bool:
        """Whether only programs on this machine can connect."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def trusts_itself(self, tenant: str) -> bool:
        """Whether the renders of ``tenant`` are of people who trust each other.

        Who sends no key to a service that is open to others may be anybody.
        """
        return tenant != ANONYMOUS or self.on_loopback

    @property
    def signs_webhooks(self) -> bool:
        """Whether all services that share the database sign webhooks with the same secret."""
        is_alone = self.shared_data_dir or not self.database.startswith("postgresql")
        return is_alone or bool(self.webhook_secret)

    @property
    def slots(self) -> int:
        """How many renders run at once."""
        if self.render_slots is not None:
            return self.render_slots
        return max(1, processors.count() // 2)

    @property
    def drawers(self) -> int:
        """How many processes draw one render; all slots together are as many as there are cores."""
        if self.render_cores is not None:
            return self.render_cores
        return max(1, processors.count() // self.slots)

    @property
    def modal_drawers(self) -> int:
        """How many processes draw one render in a container on Modal, where a physical core runs two threads."""
        return max(1, int(2 * self.modal_cores))

    @property
    def inspections(self) -> int:
        """How many dry runs happen at once."""
        return self.inspect_slots if self.inspect_slots is not None else (self.slots + 1) // 2

    @property
    def database(self) -> str:
        """The database's URL, with an asynchronous driver."""
        if self.database_url:
            return self.database_url
        return f"sqlite+aiosqlite:///{self.data_dir.absolute() / 'manimcast.db'}"


def load(**overrides: Any) -> Settings:
    """Read the settings, or raise :class:`SettingsError` naming each variable that is wrong.

    ``overrides`` win over the environment; they are fields by their names here.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = []
        for item in error.errors(include_url=False, include_input=False):
            name = str(item["loc"][0]).upper() if item["loc"] else ""
            message = item["msg"].removeprefix("Value error, ")
            lines.append(f"{name}: {message}" if name else message)
        raise SettingsError("\n".join(lines)) from None
