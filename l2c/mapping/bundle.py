"""Bundles: what a mapping does as text, from which it can be compiled again when its files have long changed."""

import hashlib
import json
from typing import Any

from l2c.config import Block, EntityConfig, MappingConfig, Mark, Row, ValueMapConfig
from l2c.config.model import parse
from l2c.mapping.compiler import Builder
from l2c.mapping.rules import Table
from l2c.mapping.sources import Sources

VERSION_LENGTH = 16


def version_of(bundle: str) -> str:
    """The version of a bundle: 16 hex digits."""
    return hashlib.sha256(bundle.encode()).hexdigest()[:VERSION_LENGTH]


def bundle_of(sources: Sources, builder: Builder) -> str:
    """The file without comments and layout, the entity's fields it touches, and the value maps it uses."""
    touched = builder.targets if builder.reading else builder.unit.paths
    own = sources.config.value_maps
    tables = {
        name: {"values": table.values, **({"unmapped": "keep"} if table.keep else {})}
        for name, table in sorted(builder.used_tables.items())
        if name not in own
    }
    mapping = {key: value for key, value in plain(sources.block).items() if key != "description"}
    dumped = sources.entity.model_dump(mode="json", by_alias=True, exclude_unset=True)
    entity = {"entity": sources.entity.entity, "fields": _prune(dumped["fields"], touched, "")}
    data = {"mapping": mapping, "entity": entity, "value_maps": tables}
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def sources_of(bundle: str) -> tuple[Sources, str]:
    """What a bundle was made of, ready to be compiled, and the name its file had."""
    data = json.loads(bundle)
    kind, _, rest = data["mapping"]["mapping"].partition(".")
    file = f"mappings/{kind}/{rest}.yaml"
    block = _block(data["mapping"], Mark(file))
    config = parse(MappingConfig, block)
    entity = parse(EntityConfig, _block(data["entity"], Mark(f"mappings/canonical/{config.entity}.yaml")))
    tables = {name: Table(name, dict(values), file=file) for name, values in config.value_maps.items()}
    for name, shared in data["value_maps"].items():
        tables[name] = shared_table(parse(ValueMapConfig, _block({"value_map": name, **shared}, Mark(file))))
    return Sources(config, block, entity, tables), file


def shared_table(config: ValueMapConfig) -> Table:
    """A value map of its own file as rules use it."""
    file = f"mappings/value_maps/{config.value_map}.yaml"
    return Table(config.value_map, dict(config.values), config.unmapped == "keep", file)


def _prune(fields: dict[str, Any], touched: set[str], above: str) -> dict[str, Any]:
    """The touched fields of an entity, without descriptions."""
    kept: dict[str, Any] = {}
    for name, config in fields.items():
        path = above + name
        if path not in touched and not any(t.startswith(path + ".") for t in touched):
            continue
        entry = {k: v for k, v in config.items() if k not in ("description", "purpose")}
        if "fields" in entry:
            inner = {*touched, *([f"{path}.{entry['list_by']}"] if entry.get("list_by") else [])}
            entry["fields"] = _prune(entry["fields"], inner, path + ".")
        kept[name] = entry
    return kept


def plain(value: Any) -> Any:
    """Blocks and rows as plain dicts and lists."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value


def _block(value: Any, mark: Mark) -> Any:
    """Plain data as if it had been loaded from a file, all of it at one place."""
    if isinstance(value, dict):
        block = Block(mark)
        for key, inner in value.items():
            block.put(key, _block(inner, mark), mark, mark)
        return block
    if isinstance(value, list):
        row = Row(mark)
        row.extend(_block(inner, mark) for inner in value)
        row.values_at.extend([mark] * len(value))
        return row
    return value
