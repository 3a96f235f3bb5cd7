"""Partners as the connector gives them: the simulated system's generator, with every field the mapping asks for."""

from pathlib import Path
from typing import Any

from l2c.config import Project
from l2c.mapping import Mapper, read_mappers, write_mappers
from sandbox.generator import partners

ROOT = Path(__file__).parents[3]
ENTITY = "business_partner"
ONE = {"to_Customer"}


def mappers() -> tuple[Mapper, Mapper]:
    project = Project(ROOT)
    reader = read_mappers(project, project.system("s4hana"), ENTITY)[0]
    writers = write_mappers(project, project.system("commerce"), ENTITY)
    writer = next(one for one in writers if one.variant == "unit")
    return reader, writer


def natives(reader: Mapper, count: int, seed: int = 7) -> list[dict[str, Any]]:
    tree: dict[str, Any] = {}
    for path in sorted(reader.fields):
        here = tree
        for step in path.split("."):
            here = here.setdefault(step, {})
    return [whole(partner, tree) for partner in partners(seed, count)]


def whole(data: dict[str, Any], tree: dict[str, Any]) -> dict[str, Any]:
    """The selected fields, all of them: an empty text or null where the generator says nothing."""
    made: dict[str, Any] = {}
    for name, below in tree.items():
        value = data.get(name)
        if below and name in ONE:
            made[name] = whole(value, below) if value else None
        elif below:
            made[name] = [whole(one, below) for one in value or []]
        else:
            made[name] = value if value is not None or "Date" in name or "Is" in name else ""
    return made
