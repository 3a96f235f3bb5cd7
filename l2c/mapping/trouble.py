"""What goes wrong with a record: every mistake of it in words, with place and masked values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from l2c.errors import RecordRejected, ReferenceMissing
from l2c.mapping.values import Unfit

SHOWN: Final = 60  # characters of a value a message shows


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule's words for its rejections: target path, place in the mapping file, whether values are masked."""

    path: str
    place: str
    personal: bool = False
    list_by: str = ""
    map_name: str = ""
    map_file: str = ""
    allowed: tuple[str, ...] = ()


@dataclass(slots=True)
class Trouble:
    """What went wrong with one record, filled by the careful form."""

    reasons: Sequence[Reason]
    found: list[tuple[str, str]] = field(default_factory=list)
    waiting: list[tuple[str, str, str]] = field(default_factory=list)  # field path, reference path, key

    def say(self, number: int, text: str, element: Any = None) -> None:
        """Add a mistake of rule `number`; `element` is the list element made so far, to name it by its key."""
        reason = self.reasons[number]
        where = ""
        if element is not None and reason.list_by and element.get(reason.list_by) is not None:
            where = f" ({reason.list_by} '{element[reason.list_by]}')"
        self.found.append((reason.path, f"{text}{where} [{reason.place}]"))

    def unfit(self, number: int, error: Exception, element: Any = None) -> None:
        """Add what an expression or check raised."""
        if isinstance(error, Unfit):
            joint = ", not " if error.text.startswith("expected") else ": "
            value = f"{joint}{self.shown(number, error.value)}" if error.value is not None else ""
            self.say(number, f"{error.text}{value}", element)
        else:
            self.say(number, f"cannot be computed from these values ({type(error).__name__})", element)

    def not_in_map(self, number: int, value: Any, element: Any = None) -> None:
        """Add a value without an entry in the value map."""
        reason = self.reasons[number]
        known = ", ".join(reason.allowed[:12]) + (", …" if len(reason.allowed) > 12 else "")
        text = f"value {self.shown(number, value)} is not in value map '{reason.map_name}' ({known})"
        self.say(number, f"{text}; add it to {reason.map_file}" if reason.map_file else text, element)

    def shown(self, number: int, value: Any) -> str:
        """A value as a message shows it: shortened, masked where it tells of a person."""
        if value is None or value == "":
            return "empty"
        if self.reasons[number].personal:
            return "'***'"
        if isinstance(value, (dict, list)):
            return "a nested record" if isinstance(value, dict) else "a list"
        plain = str(value).encode("utf-8", "replace").decode()
        plain = "".join(c if c.isprintable() else "?" for c in plain[:SHOWN])
        return f"'{plain}{'…' if len(str(value)) > SHOWN else ''}'"

    def done(self, entity: str, key: Any) -> None:
        """Raise what was found: RecordRejected with every mistake, else ReferenceMissing, else nothing."""
        shown_key = key if isinstance(key, str) else ""
        if self.found:
            raise RecordRejected(self.found, entity=entity, key=shown_key)
        if self.waiting:
            _, path, native = self.waiting[0]
            places = {reason.path: reason.place for reason in self.reasons}
            texts = [(at, f"{to} '{value}' is not known yet [{places[at]}]") for at, to, value in self.waiting]
            raise ReferenceMissing(texts, entity_path=path, native_key=native, entity=entity, key=shown_key)
