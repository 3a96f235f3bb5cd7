"""How long a registration in the shop takes to reach S/4HANA, at the shipped schedules: told by webhooks, and without them.

`python -m demo.latency [REGISTRATIONS [SECONDS BETWEEN TWO [webhook|schedule]]]`; figures in `build/reports/latency.json`.
Both times of a registration are those of the commit logs of the simulated systems, which share this machine's clock.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from demo import sandboxes
from demo.airflow import Airflow
from demo.sandboxes import Sandbox
from demo.screen import Screen
from demo.supervisor import Supervisor
from l2c.hub import Hub

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".demo" / "latency"
REPORT = ROOT / "build" / "reports" / "latency.json"
PARTNERS = 200
LIMIT_S = 30.0  # the webhooks' p95
FIRST_LOAD_S = 1200.0  # a shop is captured after S/4HANA, so its turn may come a whole schedule later
LAST_S = 900.0
OBJECTS = ("L2CB2BUnit", "L2CB2BCustomer", "L2CCustomer")


@dataclass(slots=True)
class Rig:
    """The systems, Airflow, the hub's state, and whom the shop has registered: when, by name."""

    screen: Screen
    supervisor: Supervisor
    airflow: Airflow
    s4: Sandbox
    shop: Sandbox
    hub: Hub
    inbox_secret: str
    figures: dict[str, int | float] = field(default_factory=dict)


def main() -> int:
    """Measure; 0 only if nobody was lost or doubled and the webhooks kept their limit."""
    count, gap = (int(sys.argv[1]) if len(sys.argv) > 1 else 50), (float(sys.argv[2]) if len(sys.argv) > 2 else 20.0)
    kinds = sys.argv[3:] or ["webhook", "schedule"]
    started = time.time()
    screen = Screen(started)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with Supervisor(FOLDER, _environment()) as supervisor:
        rig = _start(screen, supervisor)
        _first_load(rig)
        rig.figures["load_before"] = round(os.getloadavg()[0], 2)
        for kind in kinds:
            _measure(rig, kind, count, gap)
        rig.figures["load_after"] = round(os.getloadavg()[2], 2)  # of the last quarter of an hour
        rig.hub.close()
    figures = rig.figures
    ok = (
        figures["lost"] == 0
        and figures["doubled"] == 0
        and all(
            figures.get(f"{kind}_p95_s", limit + 1) <= limit
            for kind, limit in {"webhook": LIMIT_S}.items()
            if kind in kinds
        )
    )
    _report(started, figures, ok=ok)
    (screen.good if ok else screen.bad)(f"{json.dumps(figures)}; in {REPORT.relative_to(ROOT)}")
    return 0 if ok else 1


def _start(screen: Screen, supervisor: Supervisor) -> Rig:
    parts = {
        "s4hana": sandboxes.start(supervisor, "s4hana", FOLDER / "s4hana", "--partners", str(PARTNERS)),
        "commerce": sandboxes.start(supervisor, "commerce", FOLDER / "commerce"),
    }
    s4, shop = (sandboxes.ready(supervisor, name, part) for name, part in parts.items())
    airflow, secret = Airflow(supervisor, ROOT, FOLDER), secrets.token_urlsafe(24)
    token = json.dumps({"token_url": f"{shop.url}/authorizationserver/oauth/token"})
    shop_login = {"conn_type": "sap_commerce", "host": shop.url, "login": "l2c-hub", "password": "sandbox"}
    airflow.prepare(
        {
            "s4hana": {
                "conn_type": "sap_s4hana",
                "host": s4.url,
                "login": "HUB_USER",
                "password": "sandbox-s4-secret",
            },
            "commerce": {**shop_login, "extra": token},
            "commerce_inbox": {"conn_type": "generic", "login": "shop", "password": secret},
        }
    )
    airflow.start()
    hub = Hub.open(env=supervisor.env)
    return Rig(screen, supervisor, airflow, s4, shop, hub, secret)


def _first_load(rig: Rig) -> None:
    """Wait until every system was captured once and everything captured is distributed; some have nothing to distribute."""

    def done() -> bool:
        cells = rig.hub.status()
        ended = [cell.last is not None and cell.last.status == "done" for cell in cells if cell.kind == "capture"]
        return all(ended) and not any(cell.behind for cell in cells)

    rig.screen.title("First load")
    _until(rig, done, FIRST_LOAD_S, "the first load")


def _measure(rig: Rig, kind: str, count: int, gap: float) -> None:
    """Register so many, one every `gap` seconds, and see when each arrives."""
    told = kind == "webhook"
    rig.screen.title(
        f"{count} registrations, one every {gap:.0f} s, {'told by webhooks' if told else 'found by schedule'}"
    )
    login = {"user": "shop", "password": rig.inbox_secret}
    url = f"{rig.airflow.url}/hub/inbox/commerce"
    _control(rig.shop, "/settings", {"webhooks": [{"object": name, "url": url, **login} for name in OBJECTS if told]})
    registered: dict[str, datetime] = {}
    seen: dict[str, list[datetime]] = {}
    after = _log_end(rig.s4)
    begun = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, begun + number * gap - time.monotonic()))
        name = f"{kind.capitalize()}{number:04}{secrets.token_hex(3)}"
        registered[name] = _register(rig.shop, name, company=number % 2 == 0)
        after = _look(rig, after, registered, seen)
    deadline = time.monotonic() + LAST_S
    while len(seen) < count and time.monotonic() < deadline:
        time.sleep(1)
        rig.supervisor.check()
        after = _look(rig, after, registered, seen)
    taken = sorted((seen[name][0] - moment).total_seconds() for name, moment in registered.items() if name in seen)
    _note(rig.figures, kind, count, taken, doubled=sum(len(moments) - 1 for moments in seen.values()))
    rig.screen.say(", ".join(f"{seconds:.1f}" for seconds in taken))


def _note(figures: dict[str, int | float], kind: str, count: int, taken: list[float], *, doubled: int) -> None:
    figures[f"{kind}_registrations"] = count
    for share in (50, 95, 100):
        name = "max" if share == 100 else f"p{share}"
        place = max(0, -(-len(taken) * share // 100) - 1)
        if taken:
            figures[f"{kind}_{name}_s"] = round(taken[place], 2)
    figures["lost"] = figures.get("lost", 0) + count - len(taken)
    figures["doubled"] = figures.get("doubled", 0) + doubled


def _register(shop: Sandbox, name: str, *, company: bool) -> datetime:
    """Register a company or a consumer of that name; when the shop committed it."""
    place = {"streetname": "Hauptstraße", "postalcode": "80331", "town": "München", "country": "DE"}
    mail = f"{name.lower()}@example.com"
    if company:
        form: dict[str, Any] = {"kind": "company", "name": name, "l2cEmail": mail, "address": place}
        form["contact"] = {"email": mail, "first_name": "Eva", "last_name": "Huber"}
    else:
        form = {"kind": "consumer", "email": mail, "first_name": "Jan", "last_name": name, "address": place}
    told = _control(shop, "/register", form)
    entries = _log(shop, _log_end(shop) - 20, told["entity"], "all")
    found = [entry for entry in entries if entry["key"] == told["key"] and entry["action"] == "created"]
    return datetime.fromisoformat(found[-1]["at"])


def _look(rig: Rig, after: int, registered: Mapping[str, datetime], seen: dict[str, list[datetime]]) -> int:
    """Take note of the partners created in S/4HANA since that place in its log; the new place."""
    entries = _log(rig.s4, after, "A_BusinessPartner", "api")
    for entry in entries:
        after = max(after, int(entry["seq"]))
        if entry["action"] != "created":
            continue
        data = rig.s4.record("A_BusinessPartner", entry["key"]) or {}
        name = data.get("OrganizationBPName1") or data.get("LastName")
        if name in registered:
            seen.setdefault(str(name), []).append(datetime.fromisoformat(entry["at"]))
    return after


def _log(system: Sandbox, after: int, entity: str, origin: str) -> list[dict[str, Any]]:
    options = {"after": str(max(0, after)), "entity": entity, "origin": origin, "limit": "1000"}
    with _session() as session:
        answer = session.get(f"{system.control}/log", params=options, timeout=30)
    answer.raise_for_status()
    entries: list[dict[str, Any]] = answer.json()["entries"]
    return entries


def _log_end(system: Sandbox) -> int:
    """The newest place of a log."""
    after = 0
    with _session() as session:
        while True:
            options = {"after": str(after), "origin": "all", "limit": "1000"}
            answer = session.get(f"{system.control}/log", params=options, timeout=30)
            answer.raise_for_status()
            entries = answer.json()["entries"]
            if not entries:
                return after
            after = int(entries[-1]["seq"])


def _control(system: Sandbox, path: str, body: Any) -> Any:
    with _session() as session:
        answer = session.post(f"{system.control}{path}", json=body, timeout=30)
    answer.raise_for_status()
    return answer.json()


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


def _until(rig: Rig, done: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} was not there within {seconds:.0f} s")
        rig.supervisor.check()
        time.sleep(1)


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "L2C_"))}
    home = os.environ.get("L2C_HOME") or str(ROOT)
    loopback = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    return {**kept, **loopback, "L2C_HOME": home, "L2C_DATABASE_URL": f"sqlite:///{FOLDER / 'hub.db'}"}


def _report(started: float, figures: Mapping[str, int | float], *, ok: bool) -> None:
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    content = {
        "name": "latency",
        "commit": commit.stdout.strip(),
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "seconds": round(time.time() - started, 1),
        "ok": ok,
        "figures": figures,
    }
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
