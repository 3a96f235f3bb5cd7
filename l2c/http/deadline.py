"""Sockets that keep one total deadline, and the requests adapter that uses them.

A read timeout counts from byte to byte: a peer that drips one byte a second is never too slow for it, nor is one that takes
one byte a second. Here every receive and every send looks at the deadline of the whole call, headers and body alike.
"""

import logging
import socket
import ssl
import time
from contextvars import ContextVar
from typing import Any

import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.util.ssl_ import create_urllib3_context

from l2c.http.discreet import without_keys

DEADLINE: ContextVar[tuple[float, float]] = ContextVar("deadline", default=(float("inf"), float("inf")))
"""When the call in hand must be over on the monotonic clock, and the longest silence in seconds."""


def seconds_left() -> float:
    """How long the next receive or send may take; TimeoutError when the call's deadline is past."""
    until, silence = DEADLINE.get()
    left = min(until - time.monotonic(), silence)
    if left <= 0:
        raise TimeoutError("the deadline of the call is over")
    return left


class _PlainSocket(socket.socket):
    """A TCP socket whose receives and sends end at the deadline."""

    def recv_into(self, *args: Any, **options: Any) -> int:
        self.settimeout(seconds_left())
        return super().recv_into(*args, **options)

    def sendall(self, data: Any, flags: int = 0) -> None:
        left = memoryview(data).cast("B")
        while left:
            self.settimeout(seconds_left())
            left = left[self.send(left, flags) :]


class _TlsSocket(ssl.SSLSocket):
    """A TLS socket whose receives and sends end at the deadline."""

    def recv_into(self, *args: Any, **options: Any) -> int:
        self.settimeout(seconds_left())
        return super().recv_into(*args, **options)

    def send(self, *args: Any, **options: Any) -> int:  # sendall is made of it
        self.settimeout(seconds_left())
        return super().send(*args, **options)


class _PlainConnection(HTTPConnection):
    """A connection over a deadline socket."""

    def _new_conn(self) -> socket.socket:
        found = super()._new_conn()
        timeout = found.gettimeout()
        kept = _PlainSocket(found.family, found.type, found.proto, fileno=found.detach())
        kept.settimeout(timeout)
        return kept


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class DeadlineAdapter(HTTPAdapter):
    """The transport of the kit: no retries of its own, deadline sockets for http and https."""

    def __init__(self, *, connections: int = 16) -> None:
        logging.getLogger("urllib3.connectionpool").addFilter(without_keys)  # the same one is added once
        super().__init__(pool_connections=4, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Install the sockets (called by requests)."""
        context = create_urllib3_context()
        context.sslsocket_class = _TlsSocket
        super().init_poolmanager(*args, ssl_context=context, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": urllib3.HTTPSConnectionPool}
