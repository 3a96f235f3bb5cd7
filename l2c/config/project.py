"""Everything under L2C_HOME: systems, flows, entities, value maps, loaded when asked for and kept while the files stay the same."""

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from l2c.config.entities import EntityConfig
from l2c.config.flownames import name_mistakes
from l2c.config.flows import FlowConfig
from l2c.config.loader import Block, load_text, read_file
from l2c.config.mappings import MappingConfig, ValueMapConfig
from l2c.config.model import Model, parse, parse_partly
from l2c.config.overlay import merge
from l2c.config.problems import in_order, near_miss
from l2c.config.systems import SystemConfig, SystemsFile
from l2c.errors import ConfigError

T = TypeVar("T")
M = TypeVar("M", bound=Model)

SYSTEMS = "config/systems.yaml"
FLOWS = "config/flows"
CANONICAL = "mappings/canonical"
VALUE_MAPS = "mappings/value_maps"


class Project:
    """The operator's files of one installation."""

    def __init__(self, home: Path, *, overlay: Path | None = None) -> None:
        self.home = home.resolve()
        self.overlay = (self.home / overlay).resolve() if overlay is not None else None
        if not self.home.is_dir():
            raise ConfigError(f"L2C_HOME '{home}' is not a folder")
        if self.overlay is not None and not self.overlay.is_dir():
            raise ConfigError(f"L2C_OVERLAY '{overlay}' is not a folder")
        self._kept: dict[Any, Any] = {}

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> "Project":
        """The project of `L2C_HOME` (default: the working directory) and `L2C_OVERLAY` (a folder laid over `config/`)."""
        values = os.environ if env is None else env
        overlay = values.get("L2C_OVERLAY") or None
        return cls(Path(values.get("L2C_HOME") or "."), overlay=Path(overlay) if overlay else None)

    @property
    def systems(self) -> Mapping[str, SystemConfig]:
        """The systems that are switched on, by name; raises ConfigError with every mistake of the file."""
        return {name: system for name, system in self._all_systems().items() if system.enabled}

    @property
    def disabled(self) -> frozenset[str]:
        """The names of the systems that are switched off."""
        return frozenset(name for name, system in self._all_systems().items() if not system.enabled)

    def system(self, name: str) -> SystemConfig:
        """One system that is switched on; raises ConfigError with the near miss."""
        found = self._all_systems().get(name)
        if found is None:
            raise ConfigError(f"{SYSTEMS}: unknown system '{name}'{near_miss(name, self._all_systems())}")
        if not found.enabled:
            raise ConfigError(f"{SYSTEMS}: system '{name}' is switched off (enabled: false)")
        return found

    @property
    def flow_names(self) -> list[str]:
        """The names of all flows, by file name, whether or not they load."""
        folders = [self.home / FLOWS, *([self.overlay / "flows"] if self.overlay else [])]
        return sorted({path.stem for folder in folders for path in folder.glob("*.yaml")})

    def flow(self, name: str) -> FlowConfig:
        """One flow, checked against its entity and the systems; raises ConfigError with every mistake and its place."""
        rel = f"{FLOWS}/{name}.yaml"
        if name not in self.flow_names:
            raise ConfigError(f"{rel}: there is no such flow{near_miss(name, self.flow_names)}", entity=name)
        block = self.flow_block(name)
        entity = self.entity(name)
        mistakes = name_mistakes(block, name, self._all_systems(), entity)
        try:
            flow = self.memo(("flow", id(block)), lambda: parse(FlowConfig, block), keep=block)
        except ConfigError as error:
            raise ConfigError(in_order([*error.mistakes, *mistakes]), entity=name) from None
        if mistakes:
            raise ConfigError(in_order(mistakes), entity=name)
        return flow.without(self.disabled)

    def flow_block(self, name: str) -> Block:
        """A flow's YAML with places, the overlay's file merged over it."""
        return self._configured(f"{FLOWS}/{name}.yaml", f"flows/{name}.yaml")

    def flow_text(self, name: str) -> str:
        """The flow's YAML as it stands; the overlay's file follows when there is one."""
        paths = [self.home / FLOWS / f"{name}.yaml"]
        if self.overlay is not None:
            paths.append(self.overlay / "flows" / f"{name}.yaml")
        return "\n".join(path.read_text("utf-8") for path in paths if path.is_file())

    def entity(self, name: str) -> EntityConfig:
        """One canonical entity; raises ConfigError with every mistake."""
        known = sorted(path.stem for path in (self.home / CANONICAL).glob("*.yaml"))
        if name not in known:
            raise ConfigError(f"{CANONICAL}: unknown entity '{name}'{near_miss(name, known)}", entity=name)
        rel = f"{CANONICAL}/{name}.yaml"
        entity = self._model(EntityConfig, rel)
        _same_name(self.block(rel), "entity", entity.entity, name)
        return entity

    @property
    def value_map_names(self) -> list[str]:
        """The names of the shared value maps."""
        return sorted(path.stem for path in (self.home / VALUE_MAPS).glob("*.yaml"))

    def value_map(self, name: str) -> ValueMapConfig:
        """One shared value map; raises ConfigError with the near miss."""
        if name not in self.value_map_names:
            raise ConfigError(f"{VALUE_MAPS}: unknown value map '{name}'{near_miss(name, self.value_map_names)}")
        rel = f"{VALUE_MAPS}/{name}.yaml"
        found = self._model(ValueMapConfig, rel)
        _same_name(self.block(rel), "value_map", found.value_map, name)
        return found

    def mapping(self, rel: str) -> tuple[MappingConfig, list[str], frozenset[str]]:
        """One mapping file by its path under the home folder, the mistakes of its rules, and the rules left out for them.

        Raises ConfigError when there are mistakes outside its rules.
        """
        block = self.block(rel)
        found = self.memo((MappingConfig, id(block)), lambda: parse_partly(MappingConfig, block, "fields"), keep=block)
        config, mistakes, skipped = found
        if config is None:
            raise ConfigError(mistakes)
        rest = config.mapping.partition(".")[2]
        if rest != Path(rel).stem:
            raise ConfigError(
                f"{block.values_at['mapping']}: the mapping is named '{config.mapping}', but stands in a file "
                f"that does not end with '{rest}.yaml'"
            )
        return config, mistakes, skipped

    def mapping_files(self, system: SystemConfig, entity: str) -> list[str]:
        """The mapping files of an entity for a system: `mappings/<system>/` overrides `mappings/<kind>/` file by file."""
        found: dict[str, str] = {}
        for folder in dict.fromkeys((system.kind, system.name)):
            for path in sorted((self.home / "mappings" / folder).glob(f"{entity}.*yaml")):
                found[path.name] = f"mappings/{folder}/{path.name}"
        return [found[name] for name in sorted(found)]

    def block(self, rel: str) -> Block:
        """The YAML of one file under the home folder, with places; parsed again only when its content changed."""
        return self._load(self.home / rel, rel)

    def memo(self, key: Any, build: Callable[[], T], *, keep: Any = None) -> T:
        """The value kept under a key, built on first use; `keep` is held as long as the value (for keys made by `id`)."""
        if key not in self._kept:
            self._kept[key] = (build(), keep)
        return self._kept[key][0]  # type: ignore[no-any-return]

    def _all_systems(self) -> dict[str, SystemConfig]:
        block = self._configured(SYSTEMS, "systems.yaml")
        return self.memo(("systems", id(block)), lambda: _named_systems(block), keep=block)

    def _model(self, model: type[M], rel: str) -> M:
        block = self.block(rel)
        return self.memo((model, id(block)), lambda: parse(model, block), keep=block)

    def _configured(self, rel: str, over: str) -> Block:
        """A file of `config/` with the overlay's file of the same name merged over it."""
        path, overlay = self.home / rel, self.overlay / over if self.overlay else None
        if overlay is None or not overlay.is_file():
            return self._load(path, rel)
        top = self._load(overlay, self._shown(overlay))
        if not path.is_file():
            return top
        base = self._load(path, rel)
        return self.memo(("merged", id(base), id(top)), lambda: merge(base, top), keep=(base, top))

    def _shown(self, path: Path) -> str:
        return str(path.relative_to(self.home)) if path.is_relative_to(self.home) else str(path)

    def _load(self, path: Path, name: str) -> Block:
        raw = read_file(path, name=name, place=f" under '{self.home}'")
        digest = hashlib.blake2b(raw, digest_size=16).digest()
        return self.memo((name, digest), lambda: load_text(raw, name=name))


def _named_systems(block: Block) -> dict[str, SystemConfig]:
    systems = parse(SystemsFile, block).systems
    return {name: system.model_copy(update={"name": name}) for name, system in systems.items()}


def _same_name(block: Block, key: str, found: str, expected: str) -> None:
    if found != expected:
        raise ConfigError(f"{block.values_at[key]}: '{found}' stands in a file named '{expected}.yaml'")
