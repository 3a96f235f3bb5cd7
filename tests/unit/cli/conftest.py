"""An installation as an operator has it: a folder with config/ and mappings/, connections, and the real command."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
L2C = Path(sys.executable).with_name("l2c")


@dataclass(frozen=True)
class Done:
    """What a call of the command left."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str

    def __str__(self) -> str:
        """The call as a person sees it on a screen."""
        return f"$ l2c {' '.join(self.words)}\n{self.out}{self.err}exit code {self.code}\n"


@dataclass
class Installation:
    """The operator's folder and the environment the command runs in."""

    home: Path
    env: dict[str, str] = field(default_factory=dict)

    def l2c(self, *words: str) -> Done:
        env = {"PATH": os.environ["PATH"], "L2C_HOME": str(self.home), **self.env}
        done = subprocess.run(
            [L2C, *words], cwd=self.home, env=env, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL
        )
        return Done(words, done.returncode, done.stdout, done.stderr)

    def connect(
        self, s4hana: str | None = None, commerce: str | None = None, *, password: str = "sandbox-s4-secret"
    ) -> None:
        """Say where the simulated systems are."""
        if s4hana is not None:
            self.env["L2C_CONNECTION_S4HANA"] = s4hana.replace("://", f"://HUB_USER:{password}@")
        if commerce is not None:
            token_url = f"{commerce}/authorizationserver/oauth/token"
            self.env["L2C_CONNECTION_COMMERCE"] = (
                f"{commerce.replace('://', '://l2c-hub:sandbox@')}?token_url={token_url}"
            )

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that stands exactly once in a file."""
        path = self.home / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name} holds {old!r} {text.count(old)} times"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def shown(self, *calls: Done) -> str:
        """Calls and what they printed, with what differs from run to run replaced."""
        text = "\n".join(str(call) for call in calls).replace(str(self.home), "HOME")
        for pattern, word in (
            (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
            (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d", "MOMENT"),
            (r"\b[0-9a-f]{16}\b", "VERSION"),
            (r"\b\d+ ms\b", "N ms"),
        ):
            text = re.sub(pattern, word, text)
        return re.sub(r" {2,}", "  ", text)


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """The shipped mappings and flows in a folder of their own."""
    home = tmp_path / "home"
    for name in ("config", "mappings"):
        shutil.copytree(ROOT / name, home / name)
    return Installation(home)


@pytest.fixture
def golden(request: pytest.FixtureRequest):
    """Compares a text with `golden/<test>.txt`; L2C_WRITE_GOLDEN=1 writes it instead."""

    def compare(text: str) -> None:
        name = request.node.name.removeprefix("test_").replace("[", "-").rstrip("]")
        path = Path(__file__).parent / "golden" / f"{name}.txt"
        if os.environ.get("L2C_WRITE_GOLDEN"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return compare
