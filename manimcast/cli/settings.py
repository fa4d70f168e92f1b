"""The settings that a command works with: of the environment and of .env, and above both what its options say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from manimcast.cli.outcome import refuse

if TYPE_CHECKING:
    from manimcast.settings import Settings


def load_or_refuse(hint: str | None = None, **options: Any) -> Settings:
    """Return the settings, with ``options`` in their place that are not None. What is wrong ends the command."""
    from manimcast.settings import SettingsError, load  # noqa: PLC0415  --help must not wait for it

    try:
        return load(**{name: value for name, value in options.items() if value is not None})
    except SettingsError as error:
        refuse(str(error), hint=hint)
