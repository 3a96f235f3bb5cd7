"""Canonical entities: what a record is, without a word about systems (`mappings/canonical/<entity>.yaml`)."""

import keyword
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from l2c.config.model import Model
from l2c.config.problems import near_miss
from l2c.config.systems import check_name

FieldType = Literal[
    "text", "code", "boolean", "integer", "decimal", "amount", "quantity", "date", "timestamp", "country", "currency",
    "language", "unit", "reference",
]  # fmt: skip
RESERVED = frozenset({"parent", "settings", "was", "seen", "this", "null", "true", "false"})


class FieldConfig(Model):
    """One field of a canonical entity."""

    type: FieldType | None = Field(default=None, description="What the value is; left out where `fields` stand.")
    length: int | None = Field(default=None, ge=1, le=1_000_000, description="Most UTF-16 units of a text or code.")
    decimals: int | None = Field(default=None, ge=0, le=20, description="Most digits after the point of a decimal.")
    values: tuple[str, ...] = Field(default=(), description="All values a code may have.", strict=False)
    list_: bool = Field(default=False, alias="list", description="`true`: several values, kept as a sorted set.")
    list_by: str | None = Field(
        default=None, description="Of a list of `fields`: the field that makes two elements the same."
    )
    fields: dict[str, "FieldConfig"] | None = Field(default=None, description="The fields of a nested object or list.")
    required: bool = Field(default=False, description="`true`: a record (or element) without it is rejected.")
    personal: bool = Field(default=False, description="`true`: tells of a person; never shown in messages.")
    purpose: tuple[str, ...] = Field(default=(), description="What a personal field may be used for.", strict=False)
    currency: str | None = Field(default=None, description="Of an amount: the field that holds its currency.")
    unit: str | None = Field(default=None, description="Of a quantity: the field that holds its unit.")
    to: str | None = Field(default=None, description="Of a reference: entity and key, `business_partner/customer`.")
    description: str = Field(default="", description="What the field means.")

    @field_validator("fields")
    @classmethod
    def _names(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        for name in value or ():
            check_field_name(name)
        return value

    @model_validator(mode="after")
    def _whole(self) -> "FieldConfig":
        for problem in self._problems():
            raise ValueError(problem)
        return self

    def _problems(self) -> Iterator[str]:
        if self.fields is None and self.type is None:
            yield "'type' is missing (or 'fields' for a nested record)"
        if self.fields is not None and self.type is not None:
            yield "'type' and 'fields' exclude each other"
        if self.list_by is not None and self.list_by not in (self.fields or {}):
            yield f"'list_by': unknown field '{self.list_by}'{near_miss(self.list_by, self.fields or ())}"
        if self.list_ and self.fields is not None:
            yield "a list of nested records is declared by 'list_by', not by 'list'"
        if self.values and self.type != "code":
            yield "'values' belong to type 'code'"
        if self.to is not None and self.type != "reference":
            yield "'to' belongs to type 'reference'"

    @property
    def kind(self) -> Literal["value", "values", "object", "objects"]:
        """Whether the field is one value, a list of values, one nested record or a list of them."""
        if self.fields is None:
            return "values" if self.list_ else "value"
        return "object" if self.list_by is None else "objects"


class EntityConfig(Model):
    """A canonical entity."""

    entity: str = Field(description="Its name; the file has the same.")
    description: str = Field(default="", description="What a record of it is.")
    fields: dict[str, FieldConfig] = Field(description="Its fields by name.")

    @field_validator("fields")
    @classmethod
    def _names(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            check_field_name(name)
        return value

    @property
    def paths(self) -> dict[str, FieldConfig]:
        """Every field by its dotted path, nested ones included."""
        return dict(walk(self.fields))


def walk(fields: dict[str, FieldConfig], prefix: str = "") -> Iterator[tuple[str, FieldConfig]]:
    """Dotted path and config of every field, outer before inner."""
    for name, field in fields.items():
        yield prefix + name, field
        if field.fields is not None:
            yield from walk(field.fields, f"{prefix}{name}.")


def check_field_name(name: str) -> None:
    """Raise ValueError unless a canonical field name can be written in an expression."""
    check_name(name, "field")
    if keyword.iskeyword(name) or name in RESERVED:
        raise ValueError(f"field name '{name}' is a word of the expression language; choose another")
