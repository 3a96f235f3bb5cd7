"""Canaries: secrets and personal data planted in the tests, looked for in whatever the suite puts out.

Secrets may stand nowhere but in the environment and in the simulated systems: not on a screen, in a log, an exception, XCom, a
state store or a file. Personal data may stand in state stores, which is what those are for, and in nothing people read.
One hit fails the session. `tests/conftest.py` takes the hooks of this module in; under xdist each worker looks for itself.
"""

import logging
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from l2c.errors import HubError

SECRETS = (
    "sandbox-s4-secret",
    "c2FuZGJveC1zNC1zZWNyZXQ",  # the same in Base64, alone
    "SFVCX1VTRVI6c2FuZGJveC1zNC1zZWNyZXQ",  # and as Basic credentials
    "cnry-s4-pw-81f3",
    "cnry-shop-pw-52e7",
    "Y25yeS1zNC1wdy04MWYz",  # the first as Basic credentials
    "bDJjLWh1YjpjbnJ5LXNob3AtcHctNTJlNw",  # the second
)
PERSONAL = ("Zzcanary", "zz.canary@", "999777555", "Kanarienweg")
MAIL = re.compile(r"[\w.+-]{2,}@[\w-]+(?:\.[\w-]+)*\.(?:example|com|de|net|org)\b", re.IGNORECASE)
READ_BY_PEOPLE = frozenset({".log", ".txt", ".md", ".html", ".out", ".err"})
LARGEST = 64 * 1024 * 1024
COMMAND = "l2c"


def current() -> str:
    """The test at work, as pytest tells it."""
    return os.environ.get("PYTEST_CURRENT_TEST", "the session")


def found_in(text: str, *, personal: bool = True) -> list[str]:
    """The canaries and mail addresses that stand in a text."""
    found = [word for word in (SECRETS + PERSONAL if personal else SECRETS) if word in text]
    return found + (MAIL.findall(text) if personal and "@" in text else [])


class Canaries:
    """What was looked at so far, and what was found."""

    def __init__(self) -> None:
        self.hits: list[str] = []
        self.looked: dict[str, int] = {"outputs": 0, "errors": 0, "files": 0}

    def text(self, kind: str, text: str, *, where: str = "", personal: bool = True) -> None:
        """Look at a text that people may read; `personal`: personal data may not stand in it either."""
        self.looked[kind] += 1
        for word in found_in(text, personal=personal)[:3]:
            self._hit(kind, word, where)

    def file(self, path: Path) -> None:
        """Look at a file that was left behind."""
        try:
            if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST:
                return
            data = path.read_bytes()
        except OSError:  # a file of another user, or one that just went away
            return
        self.looked["files"] += 1
        words = SECRETS + PERSONAL if path.suffix in READ_BY_PEOPLE else SECRETS
        for word in words:
            if word.encode() in data:
                self._hit("files", word, str(path))

    def _hit(self, kind: str, word: str, where: str) -> None:
        line = f"{kind}: '{word}' in {where or current()}"
        if line not in self.hits:
            self.hits.append(line)


class Watcher(logging.Handler):
    """Hands every log record to the canaries, as a file would show it."""

    def __init__(self, canaries: Canaries) -> None:
        super().__init__(logging.DEBUG)
        self._canaries = canaries
        self._format = logging.Formatter("%(name)s %(message)s")

    def emit(self, record: logging.LogRecord) -> None:
        """Look at one record."""
        self._canaries.text("outputs", self._format.format(record))


KEY = pytest.StashKey[Canaries]()
UNDO = pytest.StashKey[list[Any]]()


def pytest_configure(config: pytest.Config) -> None:
    canaries = config.stash[KEY] = Canaries()
    config.stash[UNDO] = [_watch_errors(canaries), _watch_command(canaries), _watch_logs(canaries)]


def pytest_unconfigure(config: pytest.Config) -> None:
    for undo in config.stash.get(UNDO, []):
        undo()


def _watch_errors(canaries: Canaries) -> Any:
    """Every error the hub raises in a test process, caught or not."""
    plain = HubError.__init__

    def watched(self: HubError, message: str, **fields: Any) -> None:
        canaries.text("errors", message, where=f"{type(self).__name__} in {current()}")
        plain(self, message, **fields)

    HubError.__init__ = watched  # type: ignore[method-assign]
    return lambda: setattr(HubError, "__init__", plain)


def _watch_command(canaries: Canaries) -> Any:
    """Whatever the command writes, however a test runs it.

    What a person asked to be shown (`--reveal`) is theirs to see, and so are native keys: the shop names consumers by mail.
    """
    plain = subprocess.Popen.communicate

    def watched(self: Any, *args: Any, **options: Any) -> Any:
        outputs = plain(self, *args, **options)
        words = self.args if isinstance(self.args, (list, tuple)) else [self.args]
        if Path(str(words[0])).name == COMMAND:
            told = " ".join(map(str, words[1:]))
            asked = "--reveal" in words or "keys" in words
            for output in outputs:
                text = output.decode("utf-8", "replace") if isinstance(output, bytes) else output or ""
                canaries.text("outputs", text, where=f"l2c {told} in {current()}", personal=not asked)
        return outputs

    subprocess.Popen.communicate = watched  # type: ignore[method-assign]
    return lambda: setattr(subprocess.Popen, "communicate", plain)


def _watch_logs(canaries: Canaries) -> Any:
    watcher = Watcher(canaries)
    logging.getLogger().addHandler(watcher)
    return lambda: logging.getLogger().removeHandler(watcher)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    for name, text in report.sections:
        item.config.stash[KEY].text("outputs", text, where=f"{name} of {item.nodeid}", personal=False)
    report.canaries = True
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    canaries = config.stash[KEY]
    for path in _left_behind(config):
        canaries.file(path)
    if hasattr(config, "workeroutput"):
        config.workeroutput["canaries"] = (canaries.hits, canaries.looked)
    if canaries.hits and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a worker of xdist found."""
    hits, looked = node.workeroutput.get("canaries", ([], {})) if hasattr(node, "workeroutput") else ([], {})
    canaries = node.config.stash[KEY]
    canaries.hits += [hit for hit in hits if hit not in canaries.hits]
    for kind, count in looked.items():
        canaries.looked[kind] += count


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    canaries = config.stash[KEY]
    looked = ", ".join(f"{count:,} {kind}" for kind, count in canaries.looked.items())
    terminalreporter.write_line(f"canaries: {looked} searched, {len(canaries.hits)} hits", red=bool(canaries.hits))
    for hit in canaries.hits[:50]:
        terminalreporter.write_line(f"  {hit}", red=True)


def _left_behind(config: pytest.Config) -> Iterator[Path]:
    """Files the tests wrote, without what belongs to the simulated systems and without copies of the project."""
    factory = getattr(config, "_tmp_path_factory", None)
    roots = [factory.getbasetemp()] if factory is not None and factory._basetemp is not None else []
    home = os.environ.get("AIRFLOW_HOME", "")
    roots += [Path(home)] if Path(home).name.startswith("l2caf") else []
    for root in roots:
        for folder, below, names in os.walk(root):
            below[:] = [name for name in below if not name.startswith("sandbox-") and name not in OF_SYSTEMS]
            for name in names:
                yield Path(folder) / name


OF_SYSTEMS = frozenset({"s4", "shop", "s4hana", "commerce", "sandbox", "mappings", "pgdata"})
