"""Mistakes as people make them, and the exact words the hub finds for each.

A case is a folder below `golden`: its files are laid over the project's own, `expected.txt` holds what the check says, one
mistake a line. Where it has a `record.yaml` (`mapping`, `given`), that record is mapped and its rejection is what counts.
"""

import shutil
from pathlib import Path

import pytest

from l2c.config import Project, load_file
from l2c.errors import ConfigError, RecordRejected
from l2c.mapping import Env, check_flow, load_mapper

ROOT = Path(__file__).parents[3]
GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path for path in GOLDEN.iterdir() if path.is_dir())


def home_of(case: Path, folder: Path) -> Project:
    for part in ("config", "mappings"):
        shutil.copytree(ROOT / part, folder / part)
    shutil.copytree(case, folder, dirs_exist_ok=True)
    return Project(folder)


def told(project: Project, case: Path) -> list[str]:
    if (case / "record.yaml").is_file():
        record = load_file(case / "record.yaml", name="record.yaml")
        with pytest.raises(RecordRejected) as caught:
            load_mapper(project, record["mapping"]).map(record["given"], Env())
        return [str(caught.value)]
    return list(dict.fromkeys(str(one) for name in project.flow_names for one in check_flow(project, name)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_mistake_is_told_in_these_words(case: Path, tmp_path: Path):
    found = "\n".join(told(home_of(case, tmp_path), case)) + "\n"
    assert found == (case / "expected.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_line_says_where_and_what(case: Path):
    for line in (case / "expected.txt").read_text(encoding="utf-8").splitlines():
        place, _, text = line.partition(": ")
        assert ".yaml:" in place or (case / "record.yaml").is_file()
        assert text[0].islower() or text[0] in "'\""


def test_the_shipped_files_have_no_mistakes():
    project = Project(ROOT)
    assert [str(one) for name in project.flow_names for one in check_flow(project, name)] == []


def test_a_mapping_with_mistakes_is_refused_when_it_is_loaded_too(tmp_path: Path):
    case = GOLDEN / "mapping_with_five_mistakes"
    with pytest.raises(ConfigError) as caught:
        load_mapper(home_of(case, tmp_path), "mappings/s4hana/business_partner.read.yaml")
    expected = (case / "expected.txt").read_text(encoding="utf-8").splitlines()
    assert sorted(caught.value.mistakes) == sorted(expected)
