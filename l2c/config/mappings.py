"""Mapping files: how one entity becomes another, one direction (`mappings/<kind>/<entity>[.<variant>].{read,write}.yaml`)."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Literal

from pydantic import Field, model_validator

from l2c.config.model import ELEMENT, Model, shown
from l2c.config.problems import near_miss

Literal_ = str | int | bool | None
MERGED_INTO = "merged_into"  # a record's key of that name stands for the one it was merged into


class Rule(Model):
    """How one target field is made."""

    expr: str | None = Field(
        default=None, description="An expression over the source record; a bare text means the same."
    )
    value: Literal_ = Field(
        default=None,
        description="A constant (`null` clears); with `for_each`, the rule of each element of a plain list.",
    )
    value_map: str | None = Field(
        default=None,
        description="A table that translates the result: of this file's `value_maps`, else of `mappings/value_maps/`.",
    )
    default: Literal_ = Field(
        default=None, description="What an empty result becomes; also what an unmapped value becomes."
    )
    required: bool = Field(default=False, description="`true`: an empty result rejects the record.")
    when: str | None = Field(
        default=None,
        description="Condition; where it fails the field is left out (or takes `default`), the element skipped.",
    )
    for_each: str | None = Field(default=None, description="The source list this target list is made of.")
    fields: dict[str, "Rule"] | None = Field(
        default=None, description="With `for_each` the fields of each element; alone, the fields of one nested object."
    )
    reference: str | None = Field(
        default=None,
        description="Translates a key: native → canonical on read, canonical → native on write (`entity/key`).",
    )
    missing: Literal["wait", "reject", "ignore"] = Field(
        default="wait", description="What an unresolved reference does to the record; `ignore` leaves the field empty."
    )
    element: "Rule | None" = Field(
        default=None,
        alias="value of each",  # ELEMENT
        description="Rule of each element of a plain list.",
    )

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"expr": value}
        if not isinstance(value, dict):
            raise ValueError(f"a rule is an expression or keys; for the constant write {{value: {_literal(value)}}}")
        if "for_each" in value and "value" in value:
            rest = {k: v for k, v in value.items() if k != "value"}
            return {**rest, ELEMENT: value["value"]}
        return value

    @model_validator(mode="after")
    def _whole(self) -> "Rule":
        problems = list(self._problems())
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _problems(self) -> Iterator[str]:
        has = self.model_fields_set
        if self.for_each is not None:
            if (self.fields is None) == (self.element is None):
                yield "'for_each' needs either 'fields' (a list of records) or 'value' (a plain list)"
            yield from _misfits("for_each", has & {"expr", "value_map", "default", "reference", "missing"})
            return
        sources = [name for name in ("expr", "value", "fields") if name in has]
        if len(sources) != 1:
            yield "a rule needs exactly one of 'expr', 'value', 'fields' or 'for_each'"
        if self.fields is not None:
            yield from _misfits("fields", has & {"value_map", "required", "reference", "missing"})
            if "default" in has and self.default is not None:
                yield "the 'default' of 'fields' can only be null"
        if "value" in has:
            yield from _misfits("value", has & {"value_map", "default", "required", "reference", "missing"})
        if "missing" in has and self.reference is None:
            yield "'missing' belongs to 'reference'"
        if self.reference is not None and self.value_map is not None:
            yield "'reference' and 'value_map' exclude each other"
        if self.fields is not None and not self.fields:
            yield "'fields' is empty"

    def has(self, key: str) -> bool:
        """Whether the key is written in the file."""
        return key in self.model_fields_set


def _literal(value: Any) -> str:
    return "null" if value is None else shown(value).strip("'")


def _misfits(with_: str, keys: set[str]) -> Iterator[str]:
    for key in sorted(keys):
        yield f"'{key}' cannot stand beside '{with_}'"


class SafeBy(Model):
    """How a repeated create is kept from doubling."""

    lookup: str = Field(description="Expression for the native field that carries the mark the hub looks up.")


class DeadLetter(Model):
    """An action that must not be done sets its record aside."""

    dead_letter: str = Field(description="Code of the dead letter.")


class Action(Model):
    """Something a target is asked to do beside taking the record."""

    do: str = Field(description="The connector's action.")
    when: str = Field(description="Condition; may use `was.` and `seen.`.")
    needs: Literal["seen"] | None = Field(
        default=None, description="`seen`: waits until the hub has a view of the record."
    )
    done_when: str | None = Field(default=None, description="Field or condition that shows the action has happened.")
    else_: DeadLetter | None = Field(default=None, alias="else", description="What becomes of the record otherwise.")
    arguments: dict[str, str] = Field(default_factory=dict, description="Expressions for the action's arguments.")


class MappingConfig(Model):
    """A mapping file."""

    mapping: str = Field(description="Its name: `<kind>.<entity>[.<variant>].read` or `.write`.")
    from_: str = Field(alias="from", description="What it reads: `<kind>/<native entity>` or `canonical/<entity>`.")
    to: str = Field(description="What it makes: `canonical/<entity>` or `<kind>/<native entity>`.")
    description: str = Field(default="", description="What the mapping is for.")
    key: str | None = Field(
        default=None,
        description="Read: expression for the record's native key. Write: target field that is the native key, used at birth only.",
    )
    other_keys: dict[str, str] = Field(
        default_factory=dict, description="Read: further keys of the record by name, kept in the key mapping."
    )
    merged_into: str | None = Field(
        default=None,
        description="Read: expression for the native key of the record this one was merged into; empty for others.",
    )
    group_by: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description="Read: expressions whose values make several native records one canonical record.",
    )
    when: str | None = Field(default=None, description="Write: condition a record must pass to be in this target.")
    leave: Literal["block", "delete", "keep"] | None = Field(
        default=None,
        description="Write: what happens to the native record when it no longer passes `when`, or is deleted.",
    )
    blocked: dict[str, Literal_] = Field(
        default_factory=dict, description="Write: the native fields that `leave: block` sets."
    )
    for_each: str | None = Field(
        default=None,
        description="One record for each element of this list: canonical ones of a native record, native ones of a canonical.",
    )
    children: Literal["ours", "all", "add"] = Field(
        default="ours",
        description="Write: which elements missing from the record are removed: those we wrote, all, or none.",
    )
    with_: tuple[str, ...] = Field(
        default=(),
        alias="with",
        strict=False,
        description="Write: other entities joined by reference; a change there makes this record due.",
    )
    safe_by: SafeBy | None = Field(default=None, description="Write: how a repeated create is recognised.")
    on_unknown: Literal["lookup", "ask"] = Field(
        default="lookup", description="Write: after a lost answer, look the mark up, or ask a person."
    )
    actions: tuple[Action, ...] = Field(
        default=(), strict=False, description="Write: what else the target is asked to do."
    )
    value_maps: dict[str, dict[str, Literal_]] = Field(
        default_factory=dict, description="Tables of this file: source value → target value."
    )
    fields: dict[str, Rule] = Field(description="One rule for each target field.")

    @model_validator(mode="after")
    def _whole(self) -> "MappingConfig":
        problems = list(self._problems())
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _problems(self) -> Iterator[str]:
        parts = self.mapping.split(".")
        if len(parts) not in (3, 4) or parts[-1] not in ("read", "write"):
            yield f"'{self.mapping}' is not a mapping name; write <kind>.<entity>[.<variant>].read or .write"
            return
        canonical, native = (self.to, self.from_) if self.direction == "read" else (self.from_, self.to)
        if canonical != f"canonical/{parts[1]}":
            yield f"a mapping named '{self.mapping}' {self._end(canonical=True)} 'canonical/{parts[1]}', not '{canonical}'"
        kind, slash, entity = native.partition("/")
        if not slash or not entity:
            yield f"'{native}' does not name a native entity; write <kind of system>/<entity>"
        elif kind != parts[0]:
            yield f"a mapping named '{self.mapping}' {self._end(canonical=False)} '{parts[0]}/…', not '{native}'"
        yield from self._read_problems() if self.direction == "read" else self._write_problems()

    def _end(self, *, canonical: bool) -> str:
        return "goes to" if canonical == (self.direction == "read") else "comes from"

    def _read_problems(self) -> Iterator[str]:
        write_only = {"when", "leave", "blocked", "children", "with_", "safe_by", "on_unknown", "actions"}
        for key in sorted(self.model_fields_set & write_only):
            yield f"'{key.rstrip('_')}' belongs to write mappings"
        if MERGED_INTO in self.other_keys:
            yield f"'{MERGED_INTO}' stands at the head of the file, not among 'other_keys'"
        if self.key is None and not self.group_by:
            yield "key 'key' is missing: which field is the record's native key?"

    def _write_problems(self) -> Iterator[str]:
        for key in sorted(self.model_fields_set & {"other_keys", "group_by", MERGED_INTO}):
            yield f"'{key}' belongs to read mappings"
        if self.when is not None and self.leave is None:
            yield "'when' and 'leave' stand together: what happens to a record that no longer passes?"
        if self.for_each is not None and self.leave is None:
            yield "'for_each' needs 'leave': what happens to the native record of an element that is gone?"
        if self.for_each is not None and self.key is None:
            yield "'for_each' needs 'key': by which field are the native records of one record told apart?"
        if self.leave is not None and self.when is None and self.for_each is None:
            yield "'when' and 'leave' stand together: what happens to a record that no longer passes?"
        if self.leave == "block" and not self.blocked:
            yield "'leave: block' needs 'blocked': the fields it sets, such as blocked: {active: false}"
        if self.leave != "block" and self.blocked:
            yield "'blocked' belongs to 'leave: block'"
        if self.key is not None and self.key not in self.fields:
            yield f"'key': '{self.key}' is no field of this mapping{near_miss(self.key, self.fields)}"

    @property
    def direction(self) -> Literal["read", "write"]:
        """Whether the mapping reads a system or writes one."""
        return "read" if self.mapping.endswith(".read") else "write"

    @property
    def kind(self) -> str:
        """The kind of system."""
        return self.mapping.split(".")[0]

    @property
    def entity(self) -> str:
        """The canonical entity."""
        return self.mapping.split(".")[1]

    @property
    def variant(self) -> str:
        """The variant of a write mapping, '' if it has none."""
        parts = self.mapping.split(".")
        return parts[2] if len(parts) == 4 else ""

    @cached_property
    def native(self) -> str:
        """The native entity."""
        return (self.from_ if self.direction == "read" else self.to).partition("/")[2]


class ValueMapConfig(Model):
    """A table shared by mappings (`mappings/value_maps/<name>.yaml`)."""

    value_map: str = Field(description="Its name; the file has the same.")
    description: str = Field(default="", description="What it translates.")
    unmapped: Literal["reject", "keep"] = Field(
        default="reject", description="What a value without an entry does: reject the record, or stay as it is."
    )
    values: dict[str, Literal_] = Field(description="Source value → target value; a list means each value is itself.")

    @model_validator(mode="before")
    @classmethod
    def _list_form(cls, value: Any) -> Any:
        values = value.get("values") if isinstance(value, dict) else None
        if not isinstance(values, list):
            return value
        if not all(isinstance(v, str) for v in values):
            raise ValueError("'values' as a list holds texts only (put them in quotes)")
        return {**value, "values": {v: v for v in values}}
