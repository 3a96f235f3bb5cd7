"""Replication messages around partners: numbers, order, headers, and several of them in one envelope."""

import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.s4hana.replication.nodes import NAMESPACE, Node
from connectors.s4hana.settings import Settings
from l2c.contract import Change, Record, System
from l2c.http import Envelope, HttpSession, SoapClient

if TYPE_CHECKING:
    from lxml import etree

OPERATION = "BusinessPartnerSUITEBulkReplicateRequest_In"
REQUEST = "BusinessPartnerSUITEReplicateRequestMessage"
_DESCRIPTION = Path(__file__).parent / "wsdl" / "replicate.wsdl"
_ABOVE = f"BusinessPartnerSUITEBulkReplicateRequest/{REQUEST}/BusinessPartner/"


@dataclass(frozen=True, slots=True)
class Named:
    """The number of a message, as UUID and as the 32 capitals that are its ID and the hub's token."""

    guid: uuid.UUID

    @property
    def id(self) -> str:
        """The ID in the header, at most 35 characters there."""
        return self.guid.hex.upper()

    def header(self) -> Node:
        """Both forms as elements of a header."""
        return {"ID": self.id, "UUID": str(self.guid)}


def says_created(token: str) -> bool:
    """Whether the message of this number asked for a new partner: the confirmation does not tell, so the last bit does."""
    return int(token, 16) % 2 == 0


def token_of(guid: str) -> str:
    """The token of a message that is named by its UUID."""
    return guid.replace("-", "").upper()


def bulk_of(tokens: Sequence[str]) -> Named:
    """The number of the envelope around messages: the same messages together have the same."""
    return Named(uuid.uuid5(NAMESPACE, ",".join(tokens)))


class Ordinals:
    """Numbers that grow with every change: the milliseconds of the clock, and one more where it stands still.

    They need no memory of their own: after a restart, and in another process, the clock is further on. A clock set back
    makes them fall behind until it has caught up.
    """

    def __init__(self, system: System) -> None:
        self._clock = system.clock
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        """The next number."""
        with self._lock:
            self._last = max(int(self._clock().timestamp() * 1000), self._last + 1)
            return self._last


class Messages:
    """Makes the messages of one system."""

    def __init__(self, session: HttpSession, settings: Settings, system: System) -> None:
        self.soap = SoapClient(session, _DESCRIPTION)
        self._settings = settings
        self._system = system
        self._ordinals = Ordinals(system)

    def single(self, change: Change, content: Node, target: Record | None) -> Envelope:
        """The envelope with this partner alone; mistakes with paths below the partner."""
        now = self._system.clock()
        named = self._named(change, content, target, now)
        header = {"CreationDateTime": _moment(now), **self._parties()}
        partner = {**content, "changeOrdinalNumberValue": self._ordinals.next()}
        message = {"MessageHeader": {**named.header(), **header}, "BusinessPartner": partner}
        bulk = {"MessageHeader": {**bulk_of([named.id]).header(), **header}, REQUEST: [message]}
        made = self.soap.envelope(OPERATION, bulk)
        mistakes = tuple((path.removeprefix(_ABOVE), what) for path, what in made.mistakes)
        return Envelope(made.body, made.headers, mistakes)

    def _named(self, change: Change, content: Node, target: Record | None, now: datetime) -> Named:
        """The number of the message: the same for the same change of the same state while a message may be at work.

        A change that is prepared again within `max_processing_s` says the same under the same number, so a receiver that
        got both acts once. Later, and after the earlier message was answered, it gets a new one: the old message is no
        longer at work, and a receiver that ignores repetitions would never answer it. Creates end in an even digit, changes
        in an odd one.
        """
        length = self._settings.max_processing_s
        period = int(now.timestamp() // length) if length else now.isoformat()
        state = [target.etag, str(target.changed_at)] if target else []
        about = [change.mark, change.record.key, change.answered, state, period, content]
        said = msgspec.json.encode(about, order="deterministic")
        whole = uuid.uuid5(NAMESPACE, f"{self._settings.business_system}/{said.decode()}").int
        return Named(uuid.UUID(int=whole & ~1 | (0 if target is None else 1)))

    def _parties(self) -> Node:
        found = {"SenderBusinessSystemID": self._settings.business_system}
        if self._settings.recipient_system:
            found["RecipientBusinessSystemID"] = self._settings.recipient_system
        return found


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def token_in(body: bytes) -> str:
    """The number of the one message in an envelope made here."""
    from lxml import etree

    return etree.fromstring(body).findtext(f".//{REQUEST}/MessageHeader/ID") or ""


def joined(bodies: Sequence[bytes]) -> bytes:
    """Several envelopes with one message each as one with all of them, messages unchanged."""
    from lxml import etree

    if len(bodies) == 1:
        return bodies[0]
    roots = [etree.fromstring(body) for body in bodies]
    bulk: Any = roots[0].find("{*}Body")[0]  # type: ignore[index]
    for root in roots[1:]:
        bulk.append(root.find(f".//{REQUEST}"))
    named = bulk_of([_text(message, "MessageHeader/ID") for message in bulk.iter(REQUEST)])
    bulk.find("MessageHeader/ID").text = named.id
    bulk.find("MessageHeader/UUID").text = str(named.guid)
    return etree.tostring(roots[0], xml_declaration=True, encoding="utf-8")


def _text(element: "etree._Element", path: str) -> str:
    return element.findtext(path) or ""
