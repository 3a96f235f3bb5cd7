"""Files damaged at random: what is wrong becomes findings or a ConfigError, never anything else."""

import copy
import json
import random
import shutil
from pathlib import Path

import pytest

from l2c.config import Project, load_file
from l2c.errors import ConfigError
from l2c.mapping import check_flow
from l2c.mapping.bundle import plain

ROOT = Path(__file__).parents[3]
FILES = [
    "config/systems.yaml",
    "config/flows/business_partner.yaml",
    "mappings/canonical/business_partner.yaml",
    "mappings/s4hana/business_partner.read.yaml",
    "mappings/commerce/business_partner.unit.write.yaml",
    "mappings/value_maps/region.yaml",
]
STRANGE = [
    None, "", 0, -5, 10**18, True, "NO", "a.b", "*", "each", "newest", "parent.x", "this", "1/0", "today()", "x" * 300, "ü",
    "__x__", [], {}, [None], ["x"], [[]], [{}], {"x": 1}, {"": 1}, {"a.b": "c"}, {".": "c"}, {"expr": "A", "when": "B"},
    {"for_each": "A", "fields": {"x": "y"}}, {"fields": {}}, {"value": [1]}, {"every": "PT10S"}, "* * * * *", "code_list/terms",
    "join('', name", "preferred(a.b, a.c)", "valid_on(today(), a, b)",
]  # fmt: skip


def spots(value, path=()):
    """The path of every value of a file."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, below in inner:
        yield (*path, step)
        yield from spots(below, (*path, step))


def damage(data, rng):
    """Remove, rename or replace one to three values."""
    for _ in range(rng.randint(1, 3)):
        *outer, last = rng.choice([*spots(data), ("none",)])
        here = data
        for step in outer:
            here = here[step]
        what = rng.random()
        if what < 0.3 and isinstance(here, dict) and last in here:
            value = here.pop(last)
            if what < 0.15:
                here[rng.choice([word for word in STRANGE if isinstance(word, str)])] = value
        else:
            here[last] = copy.deepcopy(rng.choice(STRANGE))


@pytest.mark.parametrize("file", FILES)
def test_a_damaged_file_is_told_of_and_brings_nothing_down(tmp_path, file):
    for part in ("config", "mappings"):
        shutil.copytree(ROOT / part, tmp_path / part)
    sound = plain(load_file(tmp_path / file, name=file))
    rng = random.Random(file)
    told = 0
    for _ in range(20):
        data = copy.deepcopy(sound)
        damage(data, rng)
        (tmp_path / file).write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        project = Project(tmp_path)
        told += bool(check_flow(project, "business_partner"))
        try:
            assert project.flow("business_partner").flow == "business_partner"
        except ConfigError as error:
            told += bool(error.mistakes)
    assert told, "some of this damage matters"
