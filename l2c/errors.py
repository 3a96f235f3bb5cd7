"""The exception tree of the hub, and nothing else.

HubError
├── ConfigError        a file or setting is wrong: fix it          (never retried)
├── AuthError          credentials refused                         (never retried, alerts at once)
├── TransientError     the system is busy or away; .retry_after    (retried)
│   └── Postponed      nothing may be sent to the system yet       (the next run after that time)
├── ProtocolError      the system answered something unexpected    (never retried)
├── Braked             a run would delete or block too much        (never retried: confirm it, or look into it)
├── TooManyFailures    one mistake meets a large share of records  (never retried: repair it; the next run goes on)
├── SumsDiffer         a run's records do not add up               (never retried: look into it)
├── LeaseLost          another process took this run over          (never retried: the other one goes on)
└── RecordRejected     this one record cannot pass                 (→ dead letter; never leaves the engine)
    └── ReferenceMissing   a record it refers to is not here yet   (→ waits; woken when it arrives)

A message says where, what, and what to do, in one line, lower case start, values in quotes.
Secrets and record payloads never stand in a message.
"""

import re
from collections.abc import Sequence

_MAILBOX = re.compile(r"[^\s|/'@]+@")  # a key may be a mail address: a person's, whom a message does not name


class HubError(Exception):
    """Anything the hub raises on purpose; carries where it happened as fields."""

    def __init__(self, message: str, *, system: str = "", entity: str = "", key: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.system = system
        self.entity = entity
        self.key = key
        self.code = code

    def __str__(self) -> str:
        """The one-line message."""
        return self.message

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the fields when the exception crosses a process border."""
        return _rebuild, (type(self), dict(self.__dict__))


def _rebuild(kind: type[HubError], fields: dict[str, object]) -> HubError:
    error = kind.__new__(kind)
    error.__dict__.update(fields)
    error.args = (fields.get("message", ""),)
    return error


class ConfigError(HubError):
    """A file or setting is wrong; `mistakes` lists every one found, one line each (`file:line:column: what`)."""

    def __init__(self, mistakes: str | Sequence[str], *, system: str = "", entity: str = "") -> None:
        self.mistakes: tuple[str, ...] = (mistakes,) if isinstance(mistakes, str) else tuple(mistakes)
        super().__init__("\n".join(self.mistakes), system=system, entity=entity)


class UnknownConnection(ConfigError):
    """There is no connection of that name; its message says what to create."""


class AuthError(HubError):
    """The system refused the credentials, or the user may not do this."""


class TransientError(HubError):
    """The system is busy or away; `retry_after` is the wait in seconds the system asked for, if it did."""

    def __init__(
        self,
        message: str,
        *,
        system: str = "",
        entity: str = "",
        key: str = "",
        code: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, system=system, entity=entity, key=key, code=code)
        self.retry_after = retry_after


class Postponed(TransientError):
    """Nothing may be sent to the system before a time: it asked to wait, or it is taken for away; `retry_after` says how long."""


class Braked(HubError):
    """A run would delete or block more records than its flow allows; it stopped before the first one."""


class TooManyFailures(HubError):
    """A large share of a run's records fails for one reason: the run stopped instead of setting all of them aside."""


class ProtocolError(HubError):
    """The system answered something its contract does not allow."""


class SumsDiffer(HubError):
    """The end states of a run do not add up to the records it handled: something was lost or counted twice."""


class LeaseLost(HubError):
    """The lease this run worked under belongs to another process now; nothing was written."""


def of_record(entity: str, key: str) -> str:
    """How a message about one record begins: its flow and its key, without the name in a mail address; or nothing."""
    return f"{entity} {_MAILBOX.sub('•••@', key)}: " if entity and key else ""


class RecordRejected(HubError):
    """One record cannot pass; `reasons` lists every mistake of that record as (field path, text)."""

    def __init__(
        self,
        reasons: Sequence[tuple[str, str]],
        *,
        system: str = "",
        entity: str = "",
        key: str = "",
        code: str = "rejected",
    ) -> None:
        self.reasons = tuple(reasons)
        text = "; ".join(f"{path}: {what}" if path else what for path, what in self.reasons)
        super().__init__(of_record(entity, key) + text, system=system, entity=entity, key=key, code=code)


class ReferenceMissing(RecordRejected):
    """A record this one refers to is not known yet; `entity_path` and `native_key` name it."""

    def __init__(
        self,
        reasons: Sequence[tuple[str, str]],
        *,
        entity_path: str,
        native_key: str,
        system: str = "",
        entity: str = "",
        key: str = "",
    ) -> None:
        super().__init__(reasons, system=system, entity=entity, key=key, code="reference_missing")
        self.entity_path = entity_path
        self.native_key = native_key
