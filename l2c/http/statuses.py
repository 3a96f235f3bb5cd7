"""What a status means that no caller wants to see as an answer."""

from datetime import datetime
from typing import Any

from l2c.errors import AuthError, ProtocolError, TransientError
from l2c.http.answers import Answer, retry_after
from l2c.http.discreet import discreet
from l2c.http.faults import AnswerLost
from l2c.http.refusals import sap_error

_BUSY = frozenset({408, 425, 429})


def raise_for(answer: Answer, *, repeatable: bool, now: datetime, connection: str = "") -> None:
    """Raise AuthError for 401 and 403; for a busy or broken system TransientError, or AnswerLost where it may have acted.

    `connection`: what holds the login, in words.
    """
    status, name = answer.status, answer.system
    if status in {401, 403}:
        what = "credentials refused" if status == 401 else "not allowed"
        code, text = sap_error(answer.body)
        detail = f": {discreet(text)}" if text else ""
        login = connection or f"the connection of '{name}' in config/systems.yaml"
        advice = f"; check user and password of {login}" if status == 401 else ""
        raise AuthError(f"{answer.where}: {status} {what}{detail}{advice}", system=name, code=code or str(status))
    if status not in _BUSY and status < 500:
        return
    wait = retry_after(answer, now)
    known: dict[str, Any] = {"system": name, "code": str(status), "retry_after": wait}
    if repeatable or status in {425, 429} or (status == 503 and wait is not None):
        raise TransientError(f"{answer.where}: {status} busy or away", **known)
    raise AnswerLost(f"{answer.where}: {status}; the request may have acted", **known)


def unexpected(answer: Answer) -> ProtocolError:
    """The error of a status the caller did not allow, in SAP's own words."""
    code, text = sap_error(answer.body)
    said = f" {code}: {discreet(text)}" if text else ""
    return ProtocolError(
        f"{answer.where}: {answer.status}{said}", system=answer.system, code=code or str(answer.status)
    )
