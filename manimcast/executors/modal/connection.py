"""The way to the deployed app: import Modal's client, log in, look the functions up; all of it bounded.

By itself the client takes a minute to give up on a closed port, and nearly three on a server that is silent.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
from types import ModuleType
from typing import Any

from manimcast.executors.modal import address, hardening, tokens
from manimcast.executors.modal.faults import UnavailableError, of_lookup
from manimcast.executors.modal.protocol import STREAM
from manimcast.settings import Settings

CANCEL_PAUSES = (0.0, 0.5, 2.0, 5.0, 15.0, 30.0, 60.0)
"""Seconds before each try to cancel a call."""
CLOSE_SECONDS = 5.0
"""How long a client may take to close."""

logger = logging.getLogger(__name__)


class Session:
    """A client that is logged in, and the functions that were looked up with it.

    Attributes
    ----------
    users
        How many calls are under way. A session that is dropped is closed when there is none.
    """

    def __init__(self, modal: ModuleType, client: Any) -> None:
        self.modal = modal
        self.client = client
        self.functions: dict[str, Any] = {}
        self.users = 0
        self.is_dropped = False

    async def cancel(self, call_id: str) -> None:
        """Cancel a call and end its container."""
        call = self.modal.FunctionCall.from_id(call_id, client=self.client)
        await call.cancel.aio(terminate_containers=True)


class Connection:
    """A session with Modal, made when it is first needed and made anew after :meth:`drop`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._modal: ModuleType | None = None
        self._session: Session | None = None
        self._opening = asyncio.Lock()
        self._open: set[Session] = set()
        self._closing: set[asyncio.Task[None]] = set()

    async def session(self, name: str = STREAM) -> Session:
        """Return a session in which the deployed function ``name`` was looked up.

        Raises :class:`UnavailableError` after ``MODAL_CONNECT_TIMEOUT`` seconds at the latest; the first time, after
        the import of Modal's client besides.
        """
        if self._session is not None and name in self._session.functions:
            return self._session
        session = None
        try:
            modal = await self._imported()
            async with asyncio.timeout(self._settings.modal_connect_timeout), self._opening:
                session = self._session
                if session is None:
                    session = self._session = Session(modal, await self._log_in(modal))
                    self._open.add(session)
                await self._look_up(session, name)
        except UnavailableError:
            raise
        except Exception as error:
            if session is not None:
                self.drop(session)
            raise of_lookup(error, self._settings) from error
        return session

    def hold(self, session: Session) -> None:
        """Keep ``session`` open, also when it is dropped, until :meth:`release`."""
        session.users += 1

    def release(self, session: Session) -> None:
        """Take back one :meth:`hold`."""
        session.users -= 1
        self._close_if_over(session)

    async def cancel(self, call_id: str, session: Session) -> None:
        """Cancel a call that was sent in ``session``; tries for two minutes, then logs that it could not."""
        problem: BaseException | None = None
        for pause in CANCEL_PAUSES:
            await asyncio.sleep(pause)
            try:
                async with asyncio.timeout(self._settings.modal_connect_timeout):
                    await session.cancel(call_id)
            except Exception as error:  # noqa: BLE001  whatever it is, the call still runs, so it is tried again
                if type(error).__name__ == "NotFoundError":
                    return  # there is no such call any more
                problem = error
                with contextlib.suppress(UnavailableError):
                    self.drop(session)
                    session = await self.session()
            else:
                return
        logger.error("the call %s on Modal could not be canceled and runs until its timeout: %s", call_id, problem)

    def drop(self, session: Session | None = None) -> None:
        """Forget the session, as something may be wrong with it, unless it is another one by now than ``session``.

        Calls that still use it are not disturbed.
        """
        dropped = self._session
        if dropped is not None and session in {None, dropped}:
            self._session = None
            dropped.is_dropped = True
            self._close_if_over(dropped)

    async def close(self) -> None:
        """Let go of every client, also of those that are in use."""
        self._session = None
        for session in tuple(self._open):
            self._close(session)
        if self._closing:
            await asyncio.wait(self._closing)

    async def _imported(self) -> ModuleType:
        if self._modal is None:
            # Most of a second, so not in the loop that serves requests.
            modal = await asyncio.to_thread(importlib.import_module, "modal")
            await asyncio.to_thread(hardening.install)
            self._modal = modal
        return self._modal

    async def _log_in(self, modal: ModuleType) -> Any:
        """Return a client that is connected. It is made by hand, so that there is something to close when it hangs."""
        pair = tokens.find(self._settings)
        if pair is None:
            return await modal.Client.from_env.aio()  # how else one may log in is Modal's to know, and to complain of
        url = modal.config.config["server_url"]
        client = modal.Client(url, modal.client.api_pb2.CLIENT_TYPE_CLIENT, pair)
        entering = asyncio.create_task(client.__aenter__())
        doubting = asyncio.create_task(self._doubt(url))
        try:
            await asyncio.wait({entering, doubting}, return_when=asyncio.FIRST_COMPLETED)
            if not entering.done() and (reason := doubting.result()):
                raise UnavailableError(reason)
            await entering
        except BaseException:
            entering.cancel()
            self._discard(client)
            raise
        finally:
            doubting.cancel()
        return client

    async def _doubt(self, url: str) -> str | None:
        """Return why nothing can be reached at ``url``, if that is so and no proxy leads there."""
        proxies = importlib.import_module("modal._utils.proxy_support")
        host = url.partition("://")[2].partition(":")[0]
        if proxies.get_proxy_url(host, use_ssl=url.startswith("https:")):
            return None
        return await address.problem(url)

    async def _look_up(self, session: Session, name: str) -> None:
        if name not in session.functions:
            function = session.modal.Function.from_name(
                self._settings.modal_app_name,
                name,
                environment_name=self._settings.modal_environment,
                client=session.client,
            )
            await function.hydrate.aio()
            session.functions[name] = function

    def _close_if_over(self, session: Session) -> None:
        if session.is_dropped and session.users == 0:
            self._close(session)

    def _close(self, session: Session) -> None:
        if session in self._open:
            self._open.remove(session)
            self._discard(session.client)

    def _discard(self, client: Any) -> None:
        closing = asyncio.create_task(_close(client))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


async def _close(client: Any) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await client.close.aio()
    except Exception as error:  # noqa: BLE001  it is thrown away
        logger.debug("a client of Modal's did not close: %s", error)
