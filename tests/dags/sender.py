"""A connector that understands messages, installed as a third party would: a distribution with an entry point."""

import sys
from pathlib import Path

import pytest

MODULE = '''\
"""The S/4HANA connector, and a plain form of messages: JSON with id, keys, confirmed."""

import json

from connectors.s4hana import S4HanaConnector
from l2c.contract import Outcome, Received, Status
from l2c.errors import ProtocolError


class Sender(S4HanaConnector):
    """Speaks to the simulated system as ever, and is spoken to."""

    def receive(self, message):
        """The message as JSON."""
        try:
            data = json.loads(message.body)
        except ValueError:
            raise ProtocolError("the body is not JSON") from None
        confirmed = {token: _outcome(said) for token, said in data.get("confirmed", {}).items()}
        return Received(data.get("id"), [tuple(pair) for pair in data["keys"]], confirmed)


def _outcome(said):
    """A status alone, or the fields of an outcome."""
    fields = said if isinstance(said, dict) else {"status": said}
    return Outcome(**{**fields, "status": Status(fields["status"])})


class Deaf(S4HanaConnector):
    """Takes no messages."""

    receive = None
'''


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put it on the path as kind `s4hana`, and `deaf`, which takes none; the distribution found last takes a name."""
    info = folder / "l2c_sender-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: l2c-sender\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[l2c.connectors]\ns4hana = l2c_sender:Sender\ndeaf = l2c_sender:Deaf\n")
    (folder / "l2c_sender.py").write_text(MODULE)
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    monkeypatch.delitem(sys.modules, "l2c_sender", raising=False)
