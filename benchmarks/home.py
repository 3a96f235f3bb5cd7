"""The hub's folder while it is measured: the project's own mappings, a flow without schedules and watches."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE, BATCH = 200, 100

SYSTEMS = """\
systems:
  s4hana: {kind: s4hana, connection: s4hana, profile: cloud, time_zone: Europe/Berlin}
  commerce: {kind: commerce, connection: commerce}
"""
FLOW = f"""\
flow: business_partner
capture:
  s4hana: {{schedule: "0 0 * * *", page_size: {PAGE}}}
first: s4hana
owners: {{"*": s4hana}}
error_budget: {{share: 100, most: 1000000}}
distribute:
  commerce: {{schedule: "0 0 * * *", page_size: {BATCH}, writers: 1}}
"""
ENTITY, SOURCE, TARGET = "business_partner", "s4hana", "commerce"
S4_USER, S4_SECRET, SHOP_USER, SHOP_SECRET = "HUB_USER", "sandbox-s4-secret", "l2c-hub", "sandbox"


def make_home(folder: Path) -> Path:
    """Lay the folder out anew."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "config" / "flows").mkdir(parents=True)
    (folder / "config" / "systems.yaml").write_text(SYSTEMS)
    (folder / "config" / "flows" / f"{ENTITY}.yaml").write_text(FLOW)
    shutil.copytree(ROOT / "mappings", folder / "mappings")
    return folder


def environment(home: Path, database: Path, port: int) -> dict[str, str]:
    """What the hub reads from its environment, both systems behind one port."""
    url = f"http://127.0.0.1:{port}"
    connections: dict[str, dict[str, Any]] = {
        "L2C_CONNECTION_S4HANA": {"url": url, "user": S4_USER, "secret": S4_SECRET},
        "L2C_CONNECTION_COMMERCE": {"url": url, "user": SHOP_USER, "secret": SHOP_SECRET},
    }
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("L2C_")},
        "L2C_HOME": str(home),
        "L2C_DATABASE_URL": f"sqlite:///{database}",
        **{name: json.dumps(value) for name, value in connections.items()},
    }
