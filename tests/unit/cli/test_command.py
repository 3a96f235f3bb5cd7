"""The command as a process: quick, one clear line for a mistake, the exit codes of the reference."""

import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.main import get_command

from l2c.cli import app
from l2c.cli.errors import exit_code, messages, worst
from l2c.errors import AuthError, ConfigError, HubError, LeaseLost, ProtocolError, TransientError

L2C = Path(sys.executable).with_name("l2c")
VERBS = [
    "check",
    "describe",
    "read",
    "lint",
    "capture",
    "distribute",
    "status",
    "reconcile",
    "adopt",
    "dead-letters",
    "redrive",
    "decide",
    "messages",
    "resend",
    "show",
    "purge",
    "systems",
    "matches",
    "keys",
    "audit",
]
GROUPS = {
    "systems": ["list", "reopen"],
    "matches": ["list", "show", "accept", "reject"],
    "keys": ["list", "export", "import", "link", "move", "swap"],
    "audit": ["list", "verify"],
}


def l2c(*words, cwd, **environment):
    env = {"PATH": "/usr/bin:/bin", **environment}
    return subprocess.run(
        [L2C, *words], cwd=cwd, env=env, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )


def test_help_comes_up_in_less_than_four_tenths_of_a_second(tmp_path):
    took = []
    for _ in range(5):
        started = time.perf_counter()
        assert l2c("--help", cwd=tmp_path).returncode == 0
        took.append(time.perf_counter() - started)
    assert statistics.median(took) < 0.4, took


def test_help_loads_neither_engine_nor_rich_nor_airflow(tmp_path):
    heavy = "{'l2c.hub', 'sqlalchemy', 'pydantic', 'rich', 'requests', 'airflow'}"
    code = f"import sys; from l2c.cli import app; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_every_verb_is_there_and_offers_json(tmp_path):
    commands = dict(vars(get_command(app))["commands"])
    assert list(commands) == VERBS
    assert {name: list(commands[name].commands) for name in GROUPS} == GROUPS
    for noun in GROUPS:
        commands |= {f"{noun} {verb}": command for verb, command in commands.pop(noun).commands.items()}
    for name, command in commands.items():
        assert "--json" in {word for param in command.params for word in param.opts}, name


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_says_in_one_line_what_it_does(verb):
    text = vars(get_command(app))["commands"][verb].help
    first = text.splitlines()[0]
    assert first[-1] in ".?"
    assert len(first) <= 45, "longer ones are cut off in the list of commands"


def test_a_mistyped_verb_names_the_near_miss(tmp_path):
    done = l2c("chekc", cwd=tmp_path)
    assert done.returncode == 2
    assert "Did you mean 'check'?" in done.stderr


def test_the_version_is_shown(tmp_path):
    assert l2c("--version", cwd=tmp_path).stdout.startswith("l2c 0.")


def test_a_duration_that_is_none_is_a_wrong_call(tmp_path):
    for text in ("90", "3d", "P-1D", "P0D"):
        done = l2c("purge", "--older-than", text, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert re.fullmatch(rf"--older-than: '{text}' is (not a duration|no time at all); write .*P14D\n", done.stderr)


def test_a_traceback_is_shown_only_with_debug(tmp_path):
    assert "Traceback" not in l2c("purge", "--older-than", "3d", cwd=tmp_path).stderr
    for words in (["purge", "--older-than", "3d", "--debug"], ["--debug", "purge", "--older-than", "3d"]):
        done = l2c(*words, cwd=tmp_path)
        assert done.returncode == 2
        assert "Traceback" in done.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), 2),
        (TransientError("x"), 3),
        (AuthError("x"), 3),
        (ProtocolError("x"), 3),
        (LeaseLost("x"), 3),
        (HubError("x"), 1),
    ],
)
def test_each_error_has_its_exit_code(error, code):
    assert exit_code(error) == code


def test_a_message_names_its_system_once():
    assert messages(TransientError("no answer", system="s4hana")) == ("s4hana: no answer",)
    assert messages(TransientError("s4hana: no answer", system="s4hana")) == ("s4hana: no answer",)


def test_every_mistake_of_a_file_is_its_own_line():
    assert messages(ConfigError(["a.yaml:1: one", "a.yaml:2: two"])) == ("a.yaml:1: one", "a.yaml:2: two")


def test_the_exit_code_of_several_steps_is_the_worst():
    assert worst([0, 3, 1]) == 3
    assert worst([]) == 0
