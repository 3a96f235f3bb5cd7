"""The references between the project's own entities."""

from pathlib import Path

import pytest
import yaml

CANONICAL = Path(__file__).parents[2] / "mappings" / "canonical"


def referred(fields: dict) -> set[str]:
    """Every entity that some field, however deep, refers to."""
    found = set()
    for field in fields.values():
        if field.get("type") == "reference":
            found.add(field["to"])
        found |= referred(field.get("fields", {}))
    return found


@pytest.mark.fault("F2", "F3")
def test_no_entity_refers_to_itself_or_in_a_circle():
    """Records of a circle would wait for each other for ever, whichever came first."""
    files = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in CANONICAL.glob("*.yaml")}
    left = {name: referred(content["fields"]) for name, content in files.items()}
    assert left["contact"] == {"business_partner"}, "references are found at all"
    assert set().union(*left.values()) <= left.keys()
    while left:
        free = [name for name, others in left.items() if not others & left.keys()]
        assert free, f"these refer to each other in a circle: {sorted(left)}"
        for name in free:
            del left[name]
