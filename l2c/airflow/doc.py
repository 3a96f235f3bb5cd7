"""What a DAG shows under *Docs*: the YAML it was made from, as it stands."""

from pathlib import Path

from l2c.config import Project


def doc_md(project: Project, entity: str, system: str, direction: str) -> str:
    """The flow, the canonical entity and the mappings of one direction (`read` or `write`) as Markdown."""
    home = project.home
    parts = [
        f"`{entity}`: " + ("from" if direction == "read" else "to") + f" **{system}**",
        _block(f"config/flows/{entity}.yaml", project.flow_text(entity)),
    ]
    paths = [home / "mappings" / "canonical" / f"{entity}.yaml", *_mappings(project, entity, system, direction)]
    parts += [_block(str(path.relative_to(home)), path.read_text(encoding="utf-8")) for path in paths if path.is_file()]
    return "\n\n".join(parts)


def _mappings(project: Project, entity: str, system: str, direction: str) -> list[Path]:
    """The mapping files in force: one under the system's own name hides its namesake under the kind's."""
    found: dict[str, Path] = {}
    for folder in (project.systems[system].kind, system):
        for path in sorted((project.home / "mappings" / folder).glob(f"{entity}*.{direction}.yaml")):
            if path.name.split(".")[0] == entity:
                found[path.name] = path
    return list(found.values())


def _block(title: str, text: str) -> str:
    return f"`{title}`\n\n```yaml\n{text.rstrip()}\n```"
