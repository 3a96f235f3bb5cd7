"""The served entity types, read from `model.txt` and the files in `services/`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

SERVICE = "API_BUSINESS_PARTNER"
PREFIX = "/sap/opu/odata/sap/"
ROOT = f"{PREFIX}{SERVICE}"
FURTHER = (
    "API_PRODUCT_SRV",
    "API_SLSPRICINGCONDITIONRECORD_SRV",
    "API_MATERIAL_STOCK_SRV",
    "API_CUSTOMER_MATERIAL_SRV",
)
"""The services of what is sold, each with a file of its name in `services/`."""
MOMENTS = ("DateTime", "DateTimeOffset", "Time")


@dataclass(frozen=True, slots=True)
class Property:
    """One property; `type` is the EDM type without `Edm.`."""

    name: str
    type: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    key: bool = False
    required: bool = False
    creatable: bool = True
    updatable: bool = True
    alpha: bool = False
    upper: bool = False
    digits: bool = False
    fixed: bool = False

    @property
    def nullable(self) -> bool:
        """Whether the metadata allow null."""
        return not (self.key or self.required)

    @property
    def unset(self) -> object:
        """What an answer shows for a field nobody filled: ABAP's initial value, or null for dates and ids."""
        if self.type == "Decimal":
            return f"{0:.{self.scale or 0}f}"
        if self.digits:
            return "0"
        return {"String": "", "Boolean": False, "Int16": 0}.get(self.type)


@dataclass(frozen=True, slots=True)
class Navigation:
    """One navigation; `joins` pairs own properties with properties of the target, `where` restricts the target."""

    name: str
    many: bool
    target: str
    joins: tuple[tuple[str, str], ...]
    where: tuple[str, str, str] | None = None


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity set with its type."""

    name: str
    creatable: bool
    deletable: bool
    etag: str | None
    updatable: bool = True
    service: str = SERVICE
    properties: Mapping[str, Property] = field(default_factory=dict)
    navigations: Mapping[str, Navigation] = field(default_factory=dict)

    @property
    def key(self) -> tuple[Property, ...]:
        """The key's properties in the order of the metadata."""
        return tuple(p for p in self.properties.values() if p.key)

    @property
    def type_name(self) -> str:
        """The qualified name of the type."""
        return f"{self.service}.{self.name}Type"


Model = Mapping[str, Entity]


def service_of(path: str) -> str:
    """The service a raw path belongs to; a version as matrix parameter is left out."""
    return path.removeprefix(PREFIX).partition("/")[0].partition(";")[0]


def relative(path: str) -> str:
    """A raw path below its service."""
    return path.removeprefix(PREFIX).partition("/")[2].strip("/")


def load() -> Model:
    """The model of the business partner service, by name of the entity set."""
    return _read(Path(__file__).parent / "model.txt", SERVICE)


def load_service(name: str) -> Model:
    """The model of one of the `FURTHER` services."""
    return _read(Path(__file__).parent / "services" / f"{name}.txt", name)


def _read(path: Path, service: str) -> Model:
    lines = path.read_text(encoding="utf-8").splitlines()
    return {entity.name: entity for entity in _entities(lines, service)}


def _entities(lines: list[str], service: str) -> Iterator[Entity]:
    current: Entity | None = None
    properties: dict[str, Property] = {}
    navigations: dict[str, Navigation] = {}
    for words in (line.split() for line in lines if line and not line.startswith("#")):
        if words[0] == "set":
            if current is not None:
                yield current
            properties, navigations = {}, {}
            etag = next((word[5:] for word in words if word.startswith("etag=")), None)
            flags = ("-c" not in words, "-d" not in words, etag, "-u" not in words)
            current = Entity(words[1], *flags, service, properties, navigations)
        elif words[0] == "nav":
            navigations[words[1]] = _navigation(words)
        else:
            properties[words[0]] = _property(words)
    if current is not None:
        yield current


def _property(words: list[str]) -> Property:
    name, kind, *flags = words
    length = precision = scale = None
    if flags and flags[0][0].isdigit():
        first, _, second = flags.pop(0).partition(",")
        length, precision, scale = (None, int(first), int(second)) if second else (int(first), None, None)
        if kind in MOMENTS:
            length, precision = None, length
    return Property(
        name,
        kind,
        length,
        precision,
        scale,
        key="key" in flags,
        required="required" in flags,
        creatable="-c" not in flags,
        updatable="-u" not in flags,
        alpha="alpha" in flags or "digits" in flags,
        upper="upper" in flags,
        digits="digits" in flags,
        fixed="fixed" in flags,
    )


def _navigation(words: list[str]) -> Navigation:
    _, name, many, target, *rest = words
    where = None
    if "where" in rest:
        condition = rest[rest.index("where") + 1]
        operator = "!=" if "!=" in condition else "="
        left, right = condition.split(operator)
        where = (left, operator, right)
        rest = rest[: rest.index("where")]
    joins = tuple((pair.split("=")[0], pair.split("=")[1]) for pair in rest)
    return Navigation(name, many == "*", target, joins, where)
