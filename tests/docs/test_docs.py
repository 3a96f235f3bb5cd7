"""The docs name everything there is, and only what there is."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from l2c import errors, registry
from l2c.cli import app
from l2c.config import (
    CaptureConfig,
    DistributeConfig,
    EntityConfig,
    FieldConfig,
    FlowConfig,
    MappingConfig,
    Retries,
    Rule,
    SystemConfig,
    ValueMapConfig,
    load_text,
)
from l2c.mapping.functions import FUNCTIONS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    [
        *DOCS.rglob("*.md"),
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *ROOT.glob("*/README.md"),
        *ROOT.glob("connectors/*/README.md"),
    ]
)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VERBS = vars(get_command(app))["commands"]


def _name(page):
    return str(page.relative_to(ROOT))


def _blocks(language):
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for hit in BLOCK.finditer(text):
            if hit.group(1) == language:
                yield pytest.param(hit.group(2), id=f"{_name(page)}:{text[: hit.start()].count(chr(10)) + 1}")


def _text(*parts):
    return "\n".join(
        page.read_text(encoding="utf-8") for page in PAGES if not parts or any(part in _name(page) for part in parts)
    )


def _keys(*models):
    return sorted(
        {field.alias or name for model in models for name, field in model.model_fields.items() if not field.exclude}
    )


@pytest.mark.parametrize("block", list(_blocks("yaml")))
def test_every_yaml_block_loads(block):
    assert load_text(block, name="block")


@pytest.mark.parametrize("verb", list(VERBS))
def test_every_command_is_documented_and_used_on_some_page(verb):
    assert re.search(rf"^## l2c {verb}( [a-z]+)?$", _text("reference/cli.md"), re.MULTILINE)
    assert re.search(rf"\bl2c {verb}\b", _text("how-to/", "tutorial/", "README.md", "explanation/")), (
        "named only in the reference"
    )


def _calls():
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for hit in re.finditer(r"^\$ l2c (.+?)(?:\s+#.*)?$|`l2c ([a-z][^`\n]*)`", text, re.MULTILINE):
            if "reference/cli.md" not in _name(page):
                yield pytest.param(
                    hit.group(1) or hit.group(2), id=f"{_name(page)}:{text[: hit.start()].count(chr(10)) + 1}"
                )


@pytest.mark.parametrize("call", list(_calls()))
def test_every_call_on_a_page_is_one_the_command_understands(call):
    verb, *words = shlex.split(call)
    assert verb in VERBS
    command = VERBS[verb]
    if verbs := getattr(command, "commands", None):  # a noun with verbs of its own; `list` may be left out
        command = verbs[words.pop(0) if words and words[0] in verbs else "list"]
    options = {name: param for param in command.params for name in param.opts}
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    positional, skip = 0, False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("--"):
            assert word in options, f"l2c {verb} has no {word}"
            skip = not options[word].is_flag
        else:
            positional += 1
    assert positional <= len(arguments), f"l2c {verb} takes {len(arguments)} arguments"


@pytest.mark.parametrize("target", sorted(set(re.findall(r"^\$ make ([a-z]+)|`make ([a-z]+)`", _text(), re.MULTILINE))))
def test_every_make_target_on_a_page_exists(target):
    assert f"\n{''.join(target)}:" in (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("key", _keys(MappingConfig, Rule, ValueMapConfig))
def test_every_mapping_key_is_documented(key):
    if key.isidentifier():  # what is not is the loader's own
        assert f"`{key}`" in _text("reference/mapping.md") or f"`{key}:`" in _text("reference/mapping.md")


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_every_function_of_expressions_is_documented(name):
    assert f"`{name}(" in _text("reference/functions.md")


@pytest.mark.parametrize("key", _keys(SystemConfig, FlowConfig, CaptureConfig, DistributeConfig, Retries))
def test_every_config_field_is_documented(key):
    assert f"`{key}`" in _text("reference/config.md")


@pytest.mark.parametrize("key", _keys(EntityConfig, FieldConfig))
def test_every_key_of_a_canonical_entity_is_documented(key):
    assert f"`{key}`" in _text("reference/")


@pytest.mark.parametrize(
    "name",
    [name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.HubError)],
)
def test_every_error_class_is_documented(name):
    assert f"## {name}\n" in _text("reference/errors.md")


@pytest.mark.parametrize("kind", list(registry.kinds()))
def test_every_connector_has_a_page(kind):
    page = DOCS / "reference" / "connectors" / f"{kind}.md"
    assert page.is_file()
    assert f"connectors/{kind}.md" in _text("README.md", "how-to/")


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_leads_somewhere(page):
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    ours = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert [target for target in ours if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("generator", sorted(DOCS.glob("generate*.py")), ids=lambda path: path.name)
def test_generated_pages_are_current(generator):
    done = subprocess.run([sys.executable, generator, "--check"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
