"""What names an expression can use, and the local variables of compiled code that hold their values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from l2c.config import EntityConfig, FieldConfig
from l2c.contract import EntitySchema, FieldSchema

ValueKind = Literal["text", "number", "decimal", "boolean", "date", "list", "object", "null", "any"]

_CANONICAL_KINDS: Mapping[str, ValueKind] = {
    "boolean": "boolean", "integer": "number", "decimal": "decimal", "amount": "decimal", "quantity": "decimal",
    "date": "date", "timestamp": "text",
}  # fmt: skip
_NATIVE_KINDS: Mapping[str, ValueKind] = {
    "Edm.String": "text", "Edm.Guid": "text", "Edm.Boolean": "boolean", "Edm.DateTime": "date", "Edm.DateTimeOffset": "date",
    "Edm.Time": "text", "Edm.Decimal": "decimal", "Edm.Double": "decimal", "Edm.Single": "decimal", "Edm.Int16": "number",
    "Edm.Int32": "number", "Edm.Int64": "number", "Edm.Byte": "number", "Edm.SByte": "number",
}  # fmt: skip
LENGTHS = {"country": 2, "currency": 3, "language": 2, "date": 10}


@dataclass(slots=True, eq=False)
class Info:
    """What is known of one source or target field; `fields` None with an open kind means anything may stand below."""

    kind: ValueKind
    length: int | None = None
    many: bool = False
    fields: "dict[str, Info] | None" = None
    personal: bool = False
    config: FieldConfig | None = None
    schema: FieldSchema | None = None


ANY = Info("any")


def canonical_names(entity: EntityConfig) -> dict[str, Info]:
    """The fields of a canonical entity as names."""
    return {name: _canonical(config) for name, config in entity.fields.items()}


def _canonical(config: FieldConfig) -> Info:
    if config.fields is not None:
        inner = {name: _canonical(below) for name, below in config.fields.items()}
        return Info(
            "list" if config.list_by else "object", many=config.list_by is not None, fields=inner, config=config
        )
    kind = _CANONICAL_KINDS.get(config.type or "", "text")
    length = config.length or LENGTHS.get(config.type or "")
    if config.values:
        length = max(len(v) for v in config.values)
    many = config.list_
    return Info("list" if many else kind, length, many, personal=config.personal, config=config)


def native_names(schema: EntitySchema) -> dict[str, Info]:
    """The fields of a native entity as names, nested by their dotted paths."""
    root: dict[str, Info] = {}
    for path in sorted(schema.fields, key=lambda p: p.count(".")):
        *outer, last = path.split(".")
        level: dict[str, Info] = root
        for step in outer:
            above = level.setdefault(step, Info("object", fields={}))
            if above.fields is None:
                above.fields, above.kind = {}, "list" if above.many else "object"
            level = above.fields
        level[last] = _native(schema.fields[path])
    return root


def _native(field_schema: FieldSchema) -> Info:
    if field_schema.many:
        return Info("list", many=True, fields={}, schema=field_schema)
    kind = _NATIVE_KINDS.get(field_schema.type, "any")
    return Info(kind, field_schema.length, schema=field_schema)


@dataclass(slots=True, eq=False)
class Load:
    """One value compiled code takes from a record, an element, the settings or the past before it is used."""

    var: str
    flag: str  # variable that says: the source does not carry it; '' for what is never absent
    source: str  # variable that holds the record or element
    path: tuple[str, ...]
    below: tuple[str, ...] | None = None  # of every element of a list, the value at this path
    info: Info = ANY
    lists: tuple[bool, ...] | None = None  # which steps of `below` are lists again; None: not known


@dataclass(slots=True)
class Unit:
    """What all scopes of one mapping share: numbering, constants and what was used.

    `source`: what messages call the source entity. `trusted`: the source is canonical, so it holds no empty texts.
    """

    source: str = ""
    trusted: bool = False
    constants: dict[str, Any] = field(default_factory=dict)
    paths: set[str] = field(default_factory=set)
    clock: bool = False
    past: set[str] = field(default_factory=set)
    _next: int = 0

    def name(self, letter: str) -> str:
        """A fresh variable name."""
        self._next += 1
        return f"{letter}{self._next}"

    def constant(self, value: Any, letter: str = "K") -> str:
        """The name under which compiled code finds a value."""
        for name, known in self.constants.items():
            if known is value or (
                type(known) is type(value) and not isinstance(value, dict) and str(known) == str(value)
            ):
                return name
        name = self.name(letter)
        self.constants[name] = value
        return name


@dataclass(slots=True)
class Scope:
    """The names of the record or of one list element, with the loads its expressions need."""

    unit: Unit
    var: str
    path: str  # dotted source path of the element, '' for the record
    names: dict[str, Info] | None  # None: nothing is known, any name goes
    parent: "Scope | None" = None
    plain: Info | None = None  # the element is one value, called `this`
    loads: dict[tuple[Any, ...], Load] = field(default_factory=dict)

    def load(self, path: tuple[str, ...], info: Info, below: tuple[str, ...] | None = None) -> Load:
        """The load of a path, made on first use."""
        key = (path, below)
        if key not in self.loads:
            letter = "p" if below is None else "q"
            self.loads[key] = Load(self.unit.name(letter), self.unit.name("f"), self.var, path, below, info)
            self.use(".".join((*path, *(below or ()))))
        return self.loads[key]

    def use(self, *paths: str) -> None:
        """Count paths of the record or element as used."""
        self.unit.paths.update(f"{self.path}.{path}" if self.path else path for path in paths)

    @property
    def root(self) -> "Scope":
        """The scope of the record itself."""
        return self if self.parent is None else self.parent.root

    def outside(self, source: str, path: tuple[str, ...]) -> Load:
        """The load of a setting or of what a target had; belongs to the record's scope."""
        root = self.root
        key = (source, path)
        if key not in root.loads:
            root.loads[key] = Load(root.unit.name("p"), "", source, path)
        return root.loads[key]
