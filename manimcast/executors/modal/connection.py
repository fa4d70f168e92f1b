"""The way to the deployed app: import Modal's client, log in, look the functions up; all of it bounded.

By itself the client takes a minute to give up on a closed port, and nearly three on a server that is silent.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from types import ModuleType
from typing import Any

from manimcast.executors.modal import hardening
from manimcast.executors.modal.faults import UnavailableError, of_lookup
from manimcast.executors.modal.protocol import STREAM
from manimcast.settings import Settings

CANCEL_TRIES = (0.0, 0.5, 2.0, 5.0)
"""Seconds before each try to cancel a call."""

logger = logging.getLogger(__name__)


class Connection:
    """A client of Modal's, made when it is first needed and made anew after :meth:`drop`.

    Attributes
    ----------
    users
        How many calls are under way. A client that was dropped is closed when none is.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._modal: ModuleType | None = None
        self._client: Any = None
        self._functions: dict[str, Any] = {}
        self._opening = asyncio.Lock()
        self._retired: list[Any] = []
        self.users = 0

    async def function(self, name: str = STREAM) -> Any:
        """Return the deployed function, ready to be called.

        Raises :class:`UnavailableError` after ``MODAL_CONNECT_TIMEOUT`` seconds at the latest.
        """
        found = self._functions.get(name)
        if found is not None:
            return found
        try:
            await self._import()
            async with asyncio.timeout(self._settings.modal_connect_timeout), self._opening:
                return await self._look_up(name)
        except UnavailableError:
            raise
        except Exception as error:
            self.drop()
            raise of_lookup(error, self._settings) from error

    async def cancel(self, call_id: str) -> None:
        """Cancel a call and end its container; tries a few times, then logs that it could not."""
        problem: BaseException | None = None
        for pause in CANCEL_TRIES:
            await asyncio.sleep(pause)
            try:
                async with asyncio.timeout(self._settings.modal_connect_timeout):
                    if self._client is None:
                        await self.function()
                    assert self._modal is not None  # noqa: S101 - there is a client
                    call = self._modal.FunctionCall.from_id(call_id, client=self._client)
                    await call.cancel.aio(terminate_containers=True)
            except Exception as error:  # noqa: BLE001  whatever it is, the call still runs, so it is tried again
                problem = error
                self.drop()
            else:
                return
        logger.error("the call %s on Modal could not be canceled and runs until its timeout: %s", call_id, problem)

    def drop(self) -> None:
        """Forget the client, as something may be wrong with it; the next call makes another.

        Calls that still use it are not disturbed.
        """
        if self._client is not None:
            self._retired.append(self._client)
        self._client = None
        self._functions.clear()

    async def close(self) -> None:
        """Let go of every client."""
        self.drop()
        await self._bury()

    async def _bury(self) -> None:
        retired, self._retired = self._retired, []
        await asyncio.gather(*map(_close, retired))

    async def _import(self) -> None:
        if self._modal is None:
            # Most of a second, so not in the loop that serves requests.
            self._modal = await asyncio.to_thread(importlib.import_module, "modal")
            await asyncio.to_thread(hardening.install)

    async def _look_up(self, name: str) -> Any:
        settings, modal = self._settings, self._modal
        assert modal is not None  # noqa: S101 - imported before
        if not self.users:
            await self._bury()
        if self._client is None:
            if settings.modal_token_id and settings.modal_token_secret:
                self._client = await modal.Client.from_credentials.aio(
                    settings.modal_token_id, settings.modal_token_secret.get_secret_value()
                )
            else:
                self._client = await modal.Client.from_env.aio()
        function = modal.Function.from_name(
            settings.modal_app_name, name, environment_name=settings.modal_environment, client=self._client
        )
        await function.hydrate.aio()
        self._functions[name] = function
        return function


async def _close(client: Any) -> None:
    try:
        async with asyncio.timeout(2):
            await client.close.aio()
    except Exception as error:  # noqa: BLE001  it is thrown away
        logger.debug("a client of Modal's did not close: %s", error)
