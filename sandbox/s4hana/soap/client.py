"""Messages sent to another system, by plain HTTP."""

import base64
import http.client
from urllib.parse import urlsplit

from sandbox.s4hana.soap.envelope import wrap
from sandbox.s4hana.soap.tree import Tree, write
from sandbox.s4hana.soap.wsdl import action

TIMEOUT_S = 15.0


def envelope(name: str, tree: Tree) -> bytes:
    """A message in its envelope."""
    return wrap(write(name, tree))


def post(url: str, name: str, body: bytes, login: tuple[str, str]) -> int:
    """Send an envelope, answer the HTTP status; OSError or HTTPException when nothing comes back."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action(name)}"'}
    if login[0]:
        token = base64.b64encode(":".join(login).encode()).decode()
        headers["Authorization"] = f"Basic {token}"
    connection = kind(parts.netloc, timeout=TIMEOUT_S)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()
