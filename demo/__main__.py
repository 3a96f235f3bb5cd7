"""`make demo`: installs nothing, needs nothing but this folder; ends everything it started."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from demo import sandboxes
from demo.airflow import Airflow
from demo.cast import Story
from demo.outcome import outcome
from demo.sandboxes import Sandbox
from demo.screen import Screen
from demo.stage import Stage, StoryFailed
from demo.story import steps
from demo.supervisor import PartEnded, StillRunning, Supervisor, end_leftovers
from l2c.errors import HubError
from l2c.hub import Hub

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".demo"
REPORT = ROOT / "build" / "reports" / "demo.json"
PARTNERS = 1000
TWINS = 5  # pairs of customers with one VAT number: nothing tells them apart
# 300 units of customers that S/4HANA has too, and five that may be one of two: one unit of twins, four of two customers
PREFILLED, CASES = 305, 3


Connections = Mapping[str, Mapping[str, str]]


class WrongCall(Exception):
    """A variable of the call cannot be."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the call asks for: where the data come from, which steps to play, since when the clock runs."""

    started: float
    seed: Path | None
    steps: list[str]


def main() -> int:
    """Play the story; 0 only if everything came out as expected."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    started = float(os.environ.get("L2C_DEMO_STARTED") or time.time())
    screen = Screen(started)
    try:
        seed = _seed()
        wish = Wish(started, seed, _chosen_steps(with_seed=seed is not None))
        _clear(screen)
    except (WrongCall, StillRunning) as error:
        screen.bad(str(error))
        return 2
    figures: dict[str, int | float | bool] = {}
    broken: list[str] = []
    supervisor = Supervisor(FOLDER, _environment())
    with _told(figures, broken):
        try:
            _play(screen, supervisor, wish, figures, broken)
        finally:
            screen.title("Ending what the demo started")
            supervisor.stop()
    left = figures["processes_left"] = len(supervisor.left())
    if left:
        broken.append(f"{left} processes are left")
    _report(wish, figures, ok=not broken)
    for line in broken:
        screen.bad(line)
    if not broken:
        screen.good(f"all as expected; figures in {REPORT.relative_to(ROOT)}")
    return 1 if broken else 0


def _play(
    screen: Screen, supervisor: Supervisor, wish: Wish, figures: dict[str, int | float | bool], broken: list[str]
) -> None:
    login = {"user": "shop", "password": secrets.token_urlsafe(24)}
    airflow, s4, shop, connections = _start(screen, supervisor, wish.seed, login)
    with Hub.open(env={**supervisor.env, **_for_the_hub(connections)}) as hub:
        stage = Stage(screen, supervisor, airflow, s4, shop, hub, login, figures=figures, broken=broken)
        story = Story(stage, wish.started, wish.seed)
        stage.wait("Airflow's parts report in", airflow.healthy)
        _show_login(screen, airflow)
        for name, step in steps(with_seed=wish.seed is not None).items():
            if name in wish.steps:
                step(story)
        outcome(story)
        if sys.stdin.isatty() and sys.stdout.isatty():
            _stay(screen, supervisor, airflow)


def _start(
    screen: Screen, supervisor: Supervisor, seed: Path | None, login: Mapping[str, str]
) -> tuple[Airflow, Sandbox, Sandbox, Connections]:
    """Start the systems and Airflow; tables and connections are made while the systems load their data."""
    same = ["--partners", str(PARTNERS), "--twins", str(TWINS)]
    options = ["--epm", str(seed)] if seed else same
    prefilled = [] if seed else [*same, "--prefill", str(PREFILLED), "--ambiguous", str(CASES)]
    screen.title("Starting the simulated systems S/4HANA and Commerce, and Airflow")
    parts = {
        "s4hana": sandboxes.start(supervisor, "s4hana", FOLDER / "s4hana", *options),
        "commerce": sandboxes.start(supervisor, "commerce", FOLDER / "commerce", *prefilled),
    }
    s4, shop = (sandboxes.ready(supervisor, name, part) for name, part in parts.items())
    screen.say(f"S/4HANA {s4.url}, shop {shop.url}")
    airflow = Airflow(supervisor, ROOT, FOLDER)
    connections = _connections(s4, shop, login)
    airflow.prepare(connections)
    airflow.start()
    return airflow, s4, shop, connections


def _connections(s4: Sandbox, shop: Sandbox, login: Mapping[str, str]) -> Connections:
    """The logins the simulated systems come with, which guard nothing, and the one by which the shop sends to the hub."""
    token = json.dumps({"token_url": f"{shop.url}/authorizationserver/oauth/token"})
    return {
        "s4hana": {"conn_type": "sap_s4hana", "host": s4.url, "login": "HUB_USER", "password": "sandbox-s4-secret"},
        "commerce": {
            "conn_type": "sap_commerce",
            "host": shop.url,
            "login": "l2c-hub",
            "password": "sandbox",
            "extra": token,
        },
        "commerce_inbox": {"conn_type": "generic", "login": login["user"], "password": login["password"]},
    }


def _for_the_hub(connections: Connections) -> dict[str, str]:
    """The same connections as the variables the hub reads outside Airflow."""
    told = {
        name: {
            "url": one["host"],
            "user": one["login"],
            "secret": one["password"],
            **json.loads(one.get("extra", "{}")),
        }
        for name, one in connections.items()
        if "host" in one
    }
    return {f"L2C_CONNECTION_{name.upper()}": json.dumps(one) for name, one in told.items()}


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "L2C_"))}
    return {
        **kept,
        "L2C_HOME": str(ROOT),
        "L2C_OVERLAY": str(ROOT / "config" / "demo"),
        "L2C_DATABASE_URL": f"sqlite:///{FOLDER / 'hub.db'}",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


def _show_login(screen: Screen, airflow: Airflow) -> None:
    screen.say(f"Airflow {airflow.url}")
    for user, password in airflow.passwords.items():
        screen.say(f"  log in as {user}, password {password}")


def _stay(screen: Screen, supervisor: Supervisor, airflow: Airflow) -> None:
    screen.title("Everything stays up. Look around, change something; Ctrl-C ends it")
    _show_login(screen, airflow)
    while True:
        supervisor.check()
        time.sleep(1)


@contextmanager
def _told(figures: dict[str, int | float | bool], broken: list[str]) -> Iterator[None]:
    """Turn the ways a demo can fail into a line; Ctrl-C is an end like any other once the story has been told."""
    try:
        yield
    except KeyboardInterrupt:
        if "sums_met" not in figures:
            broken.append("interrupted before the story was told")
    except (StoryFailed, PartEnded, TimeoutError) as error:
        broken.append(str(error))
    except HubError as error:
        broken.append(error.message)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _clear(screen: Screen) -> None:
    FOLDER.mkdir(exist_ok=True)
    ended = end_leftovers(FOLDER / "processes.json")
    if ended:
        screen.say(f"ended {ended} processes a former demo had left")
    shutil.rmtree(FOLDER)
    FOLDER.mkdir()


def _seed() -> Path | None:
    """The folder of SEED, if one is named."""
    text = os.environ.get("SEED")
    if not text:
        return None
    folder = Path(text).resolve()
    if not (folder / "businessPartner.csv").is_file():
        raise WrongCall(f"SEED={text}: there is no businessPartner.csv in {folder}")
    return folder


def _chosen_steps(*, with_seed: bool) -> list[str]:
    """The steps of STORY (names with commas; all without it), the first load always among them."""
    known = list(steps(with_seed=with_seed))
    wanted = [name.strip() for name in os.environ.get("STORY", "").split(",") if name.strip()] or known
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise WrongCall(f"STORY: unknown step '{unknown[0]}'; known: {', '.join(known)}")
    return ["first-load", *wanted]


def _report(wish: Wish, figures: dict[str, int | float | bool], *, ok: bool) -> None:
    content = {
        "name": "demo",
        "commit": _commit(),
        "started": datetime.fromtimestamp(wish.started, UTC).isoformat(timespec="seconds"),
        "seconds": round(time.time() - wish.started, 1),
        "ok": ok,
        "figures": figures,
    }
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _commit() -> str:
    git = shutil.which("git")
    if git is None:
        return ""
    done = subprocess.run([git, "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


if __name__ == "__main__":
    raise SystemExit(main())
