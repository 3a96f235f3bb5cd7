"""What `l2c status` tells of how a system is read."""

import json

from tests.integration.world import FLOW, SOURCE, World

PARTNERS = 12


def reading(world: World) -> dict[str, object]:
    """The capture cell as the command prints it; a failed last run makes it end with 1."""
    process = world.start("status", FLOW, "--json")
    (cell,) = (cell for cell in json.loads(process.communicate(timeout=60)[0]) if cell["system"] == SOURCE)
    return {"kind": cell["last"]["kind"], "status": cell["last"]["status"], "note": cell["note"]}


def test_the_last_run_of_a_system_is_its_newest_capture_or_sweep(start_world, sqlite_url):
    world = start_world(sqlite_url, partners=PARTNERS)
    with world.hub() as hub:
        hub.capture(FLOW, SOURCE)
    assert reading(world) == {"kind": "capture", "status": "done", "note": ""}

    world.run("capture", FLOW, SOURCE, "--sweep")
    assert reading(world) == {"kind": "sweep", "status": "done", "note": "the last run is a sweep"}

    world.s4.fault("status", method="GET", path=r"A_BusinessPartner\?", status=403, times=None)
    world.run("capture", FLOW, SOURCE, expect=3)
    assert reading(world) == {"kind": "capture", "status": "failed", "note": ""}

    world.s4.heal()
    world.run("capture", FLOW, SOURCE, "--sweep")
    told = "the last run is a sweep; the capture before it failed"
    assert reading(world) == {"kind": "sweep", "status": "done", "note": told}

    world.run("capture", FLOW, SOURCE)
    assert reading(world) == {"kind": "capture", "status": "done", "note": ""}
