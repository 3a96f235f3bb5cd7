"""The inbox: where systems send to. Its senders prove themselves to the hub; Airflow's login has no part in it.

An answer of 2xx means that the message is committed. Whatever is wrong with what it says is the hub's to show: it is no
reason to refuse it, since a sender told 4xx forgets its message.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qsl

import structlog
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import ClientDisconnect

from l2c.airflow import gate
from l2c.airflow.connections import airflow_login
from l2c.airflow.intake import Intake
from l2c.airflow.runtime import open_hub
from l2c.config import InboxConfig, Login, Project
from l2c.errors import ConfigError, HubError, UnknownConnection

if TYPE_CHECKING:
    from l2c.hub import Hub

log = structlog.get_logger(__name__)
T = TypeVar("T")

MOST_BYTES = 10_000_000
MOST_TOKEN_BYTES = 8_192
BODY_SECONDS = 30.0  # a body that takes longer is given up
LOGIN_SECONDS = 30.0  # how long a login is kept before its connection is read again


def inbox_router(intake: Intake | None = None) -> APIRouter:
    """`POST /inbox/token` gives tokens, `POST /inbox/<system>` takes messages."""
    inbox = Inbox(intake or Intake())
    router = APIRouter(prefix="/inbox")
    # the first that fits is taken, so the token's place stands before the systems'
    router.add_api_route("/token", inbox.token, methods=["POST"])
    router.add_api_route("/{system}", inbox.take, methods=["POST"])
    return router


class Inbox:
    """Takes messages: who sends is checked, the body is read with a limit, committed, and then answered."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        # threads of its own: senders must not take those that answer Airflow's tasks
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="hub-inbox")
        self._guesses = gate.Guesses()
        self._store = _KeptHub()
        self._logins: dict[str, tuple[float, Login]] = {}
        self._project: Project | None = None

    async def take(self, system: str, request: Request) -> Response:
        """Commit what the system sends; 201, or 202 for SOAP. 404, 401, 429, 413 and 408 keep nothing, 503 asks to try again."""
        config, login = await self._in_thread(lambda: self._sender(system))
        proof = request.headers.get("authorization")
        if proof is not None or config.hmac_header is None:
            self._check(request, proof or "", lambda: gate.proves(login, proof or "", time.time()))
        body = await _body(request, MOST_BYTES)
        if config.hmac_header is not None:
            signature = request.headers.get(config.hmac_header, "")
            if not gate.signed(login, signature, body):
                raise _refused()
        headers = dict(request.headers)
        keep = self._store.keep
        number = await self._in_thread(lambda: keep(system, headers, body, config.hmac_header))
        log.debug("message taken", system=system, message=number, bytes=len(body))
        self._intake.wake(system)
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        return Response(status_code=202 if kind in ("text/xml", "application/soap+xml") else 201)

    async def token(self, request: Request) -> Response:
        """OAuth's client credentials grant: client id and secret (Basic, or in the form) for a bearer token."""
        form = dict(parse_qsl((await _body(request, MOST_TOKEN_BYTES)).decode("latin-1")))
        if form.get("grant_type") != "client_credentials":
            return _told({"error": "unsupported_grant_type"}, 400)
        basic = gate.basic_login(request.headers.get("authorization", ""))
        user, secret = basic or (form.get("client_id", ""), form.get("client_secret", ""))
        logins = await self._in_thread(self._all_logins)
        found = [login for login in logins if gate.matches(login, user, secret)]
        self._check(request, f"{user}:{secret}", lambda: bool(found))
        token = gate.issue_token(found[0], time.time())
        return _told({"access_token": token, "token_type": "Bearer", "expires_in": gate.TOKEN_SECONDS}, 200)

    def _check(self, request: Request, proof: str, right: Callable[[], bool]) -> None:
        address = request.client.host if request.client else ""
        if wait := self._guesses.wait(address, proof):
            raise HTTPException(429, headers={"Retry-After": str(wait)})
        if right():
            self._guesses.right(proof)
            return
        if proof:
            self._guesses.wrong(address, proof)
        raise _refused()

    def _sender(self, system: str) -> tuple[InboxConfig, Login]:
        config = self._systems().get(system)
        if config is None:
            raise HTTPException(404)
        try:
            login = self._login(config.connection)
        except UnknownConnection as error:  # nobody has set up this inbox: as good as none
            log.error("inbox without a login", system=system, message=error.message)
            raise HTTPException(404) from None
        if (login.hmac_secret if config.hmac_header is not None else login.secret) is None:
            missing = "hmac_secret (in its extra)" if config.hmac_header is not None else "login and password"
            raise ConfigError(
                f"connection '{config.connection}': {missing} is empty; '{system}' could not send anything"
            )
        return config, login

    def _all_logins(self) -> list[Login]:
        """Every login that can be read: one that is missing keeps out nobody else."""
        found: list[Login] = []
        for name in dict.fromkeys(config.connection for config in self._systems().values()):
            try:
                found.append(self._login(name))
            except ConfigError as error:
                log.error("login missing", connection=name, message=error.message)
        return found

    def _systems(self) -> dict[str, InboxConfig]:
        self._project = self._project or Project.from_env()
        return {name: system.inbox for name, system in self._project.systems.items() if system.inbox is not None}

    def _login(self, connection: str) -> Login:
        until, login = self._logins.get(connection, (0.0, None))
        if login is None or time.monotonic() >= until:
            login = airflow_login(connection)
            self._logins[connection] = (time.monotonic() + LOGIN_SECONDS, login)
        return login

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """The result of blocking work; what goes wrong on our side becomes 503, which a sender tries again."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except HubError as error:
            log.error("inbox failed", error=type(error).__name__, message=error.message)
        except SQLAlchemyError as error:
            log.error("inbox failed", error=type(error).__name__)
        raise HTTPException(503, headers={"Retry-After": "10"})


class _KeptHub:
    """A hub that stays open from message to message: opening one costs several times what keeping a message does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hub: Hub | None = None

    def keep(self, system: str, headers: dict[str, str], body: bytes, signature: str | None) -> int:
        """Commit one message; after a failure the next one opens anew."""
        with self._lock:
            hub = self._hub = self._hub or open_hub()
        try:
            return hub.receive(system, headers, body, signature=signature)
        except (HubError, SQLAlchemyError):
            with self._lock:
                if self._hub is hub:
                    self._hub = None
            hub.close()
            raise


async def _body(request: Request, most: int) -> bytes:
    """The body, given up as soon as it is too large or too slow."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced[:20]) > most:
        raise HTTPException(413)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise HTTPException(413)
                parts.append(part)
    except TimeoutError:
        raise HTTPException(408) from None
    except ClientDisconnect:
        raise HTTPException(400) from None
    return b"".join(parts)


def _refused() -> HTTPException:
    return HTTPException(401, headers={"WWW-Authenticate": 'Basic realm="hub inbox"'})


def _told(content: dict[str, object], status: int) -> JSONResponse:
    return JSONResponse(content, status_code=status, headers={"Cache-Control": "no-store"})
