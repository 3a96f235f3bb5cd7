"""What a DAG shows under *Docs*: the YAML it was made from, as it stands."""

from l2c.config import Project


def doc_md(project: Project, entity: str, system: str, direction: str) -> str:
    """The flow, the canonical entity and the mappings of one direction (`read` or `write`) as Markdown."""
    parts = [
        f"`{entity}`: " + ("from" if direction == "read" else "to") + f" **{system}**",
        _block(f"config/flows/{entity}.yaml", project.flow_text(entity)),
    ]
    mappings = project.mapping_files(project.system(system), entity)
    names = [f"mappings/canonical/{entity}.yaml", *(name for name in mappings if name.endswith(f".{direction}.yaml"))]
    parts += [_block(name, (project.home / name).read_text(encoding="utf-8")) for name in names]
    return "\n\n".join(parts)


def _block(title: str, text: str) -> str:
    return f"`{title}`\n\n```yaml\n{text.rstrip()}\n```"
