"""Every verb against both simulated systems: what it prints, as JSON and as text, on a terminal and elsewhere."""

import json
import os
import pty
import re
import subprocess

import pytest

from tests.integration.world import COMMAND, FLOW, SOURCE, TARGET, World

PARTNERS = 30
PARTNER = "A_BusinessPartner"


@pytest.fixture
def world(start_world, sqlite_url) -> World:
    return start_world(sqlite_url, partners=PARTNERS)


@pytest.fixture
def loaded(world: World) -> World:
    world.load()
    return world


def on_a_terminal(world: World, *words: str, answer: str = "", **environment: str) -> tuple[int, str]:
    """The command as a person calls it: its exit code and everything the terminal got."""
    ours, theirs = pty.openpty()
    env = {**world.env, "TERM": "xterm", "COLUMNS": "200", **environment}
    process = subprocess.Popen([str(COMMAND), *words], env=env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, answer.encode())
    shown = b""
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
    except OSError:  # Linux's way to say that the other side is closed
        pass
    os.close(ours)
    return process.wait(timeout=60), shown.decode()


def test_check_tells_of_every_system(world: World):
    shown = json.loads(world.run("check", "--json"))
    assert [one["system"] for one in shown] == [SOURCE, TARGET]
    assert all(one["ok"] and one["latency_ms"] > 0 and abs(one["clock_skew_s"]) < 5 for one in shown)
    assert world.run("check", SOURCE).splitlines()[1].split()[:2] == [SOURCE, "ok"]


def test_describe_lists_the_fields_of_the_living_system(world: World):
    schema = json.loads(world.run("describe", SOURCE, PARTNER, "--json"))
    assert schema["key"] == "BusinessPartner"
    assert schema["fields"]["SearchTerm1"]["length"] == 20
    assert re.search(r"^BusinessPartner +Edm.String +10 +no", world.run("describe", SOURCE, PARTNER), re.MULTILINE)
    unknown = world.run("describe", SOURCE, "A_BusinesPartner", expect=2)
    assert "did you mean 'A_BusinessPartner'?" in unknown


def test_read_shows_shapes_unless_told_to_reveal(world: World):
    names = [row["OrganizationBPName1"] for _, row in world.s4.records(PARTNER) if row["OrganizationBPName1"]]
    for words in (["read", SOURCE, PARTNER], ["read", SOURCE, PARTNER, "--json"]):
        hidden, open_ = world.run(*words), world.run(*words, "--reveal")
        assert not [name for name in names if name in hidden]
        assert all(name in open_ for name in names)


def test_read_ends_at_its_limit_and_writes_one_json_object_a_line(world: World):
    lines = world.run("read", SOURCE, PARTNER, "--limit", "3", "--json", "--reveal").splitlines()
    records = [json.loads(line) for line in lines]
    assert len(records) == 3
    assert all(record["key"] == record["data"]["BusinessPartner"] for record in records)


def test_read_goes_on_at_a_moment(world: World):
    key, partner = next(iter(world.s4.records(PARTNER)))
    world.s4.change(PARTNER, key, SearchTerm2="CHANGED")
    lines = world.run("read", SOURCE, PARTNER, "--since", "2026-06-01", "--json").splitlines()
    assert key in {json.loads(line)["key"] for line in lines}
    assert partner["BusinessPartner"] == key


def test_a_whole_replication_by_the_command(world: World):
    captured = world.run("capture", FLOW)
    assert captured == f"capture {FLOW} from {SOURCE}: run 1 done: read 30, journaled 30, born 30; sums meet\n"
    (summary,) = json.loads(world.run("distribute", FLOW, "--json"))
    assert summary["sums_met"]
    assert summary["counts"]["due"] == PARTNERS
    assert world.run("distribute", FLOW) == f"distribute {FLOW} to {TARGET}: nothing new, nothing due\n"
    (swept,) = json.loads(world.run("capture", FLOW, "--sweep", "--json"))
    assert (swept["kind"], swept["counts"]["unchanged"]) == ("sweep", PARTNERS)
    (watched,) = json.loads(world.run("capture", FLOW, "--watch", "A_BusinessPartnerAddress", "--json"))
    assert (watched["kind"], watched["watch"]) == ("watch", "A_BusinessPartnerAddress")


def test_sweep_and_watch_exclude_each_other(world: World):
    shown = world.run("capture", FLOW, "--sweep", "--watch", "A_BusinessPartnerAddress", expect=2)
    assert shown == "--sweep and --watch exclude each other: a sweep compares everything already\n"


def test_an_unknown_watch_names_those_there_are(world: World):
    assert "A_BusinessPartnerAddress" in world.run("capture", FLOW, "--watch", "A_Adress", expect=2)


def test_names_that_do_not_exist_are_named_with_their_near_miss(world: World):
    assert "did you mean 's4hana'?" in world.run("check", "s4han", expect=2)
    for words in (["capture", "busines_partner"], ["lint", "busines_partner"], ["keys", "busines_partner"]):
        assert f"unknown flow 'busines_partner'; did you mean '{FLOW}'?" in world.run(*words, expect=2)
    assert "'capture' does not name" in world.run("capture", FLOW, TARGET, expect=2)


def test_a_system_that_is_switched_off_is_said_to_be(world: World):
    path = world.home / "config" / "systems.yaml"
    text = path.read_text(encoding="utf-8").replace("    kind: commerce\n", "    kind: commerce\n    enabled: false\n")
    path.write_text(text, encoding="utf-8")
    assert "switched off" in world.run("distribute", FLOW, TARGET, expect=2)
    assert [one["system"] for one in json.loads(world.run("check", "--json"))] == [SOURCE]


def test_show_masks_personal_fields_and_takes_any_key(loaded: World):
    rows = json.loads(loaded.run("keys", FLOW, "--system", TARGET, "--json"))
    key, number = rows[0]["native_key"], rows[0]["record"]
    masked, revealed = (json.loads(loaded.run("show", FLOW, key, "--json", *more)) for more in ([], ["--reveal"]))
    name = revealed["data"]["name"]
    assert loaded.shop.record("B2BUnit", key)["name"] == name
    assert name not in json.dumps(masked, ensure_ascii=False)
    assert masked["data"]["category"] == revealed["data"]["category"] == "organization"
    text = loaded.run("show", FLOW, f"#{number}")
    assert name not in text
    assert re.search(rf"^{TARGET} .* written ", text, re.MULTILINE)


def test_show_of_an_unknown_key_says_where_to_look(loaded: World):
    shown = loaded.run("show", FLOW, "4711", expect=1)
    assert shown == f"{FLOW}: no record has the key '4711' in any system; 'l2c keys {FLOW}' lists them\n"


def test_keys_of_one_record(loaded: World):
    row = json.loads(loaded.run("keys", FLOW, "--system", TARGET, "--limit", "1", "--json"))[0]
    found = json.loads(loaded.run("keys", FLOW, "--key", row["native_key"], "--json"))
    assert row in found
    assert {one["record"] for one in found} == {row["record"]}
    assert loaded.run("keys", FLOW, "--key", "4711") == "no keys\n"


def test_status_is_quiet_when_all_is_well(loaded: World):
    head, *rows = loaded.run("status", FLOW).splitlines()
    assert head.split() == ["FLOW", "SYSTEM", "DIRECTION", "LAST", "RUN", "ENDED", "RESULT", "SUMS"]
    assert len(rows) == 2
    assert {cell["kind"] for cell in json.loads(loaded.run("status", FLOW, "--json"))} == {"capture", "distribute"}


def test_purge_tells_what_it_removed_and_keeps_every_state(loaded: World):
    removed = json.loads(loaded.run("purge", "--older-than", "P90D", "--json"))
    assert removed
    assert all(count == 0 for count in removed.values())
    assert json.loads(loaded.run("keys", FLOW, "--json"))


CHANGED = "commerce.business_partner.unit.write"


def change_the_write_mapping(world: World) -> None:
    path = world.home / "mappings" / "commerce" / "business_partner.unit.write.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("\nfields:\n", "\nfields:\n  description: customer_number\n"), encoding="utf-8")


@pytest.mark.fault("U2")
def test_resend_asks_on_a_terminal_and_does_nothing_on_no(loaded: World):
    assert "nothing to resend" in loaded.run("resend", FLOW, TARGET)
    change_the_write_mapping(loaded)
    code, shown = on_a_terminal(loaded, "resend", FLOW, TARGET, answer="n\n")
    assert f"Resend {PARTNERS} records to {TARGET}? [y/N]" in shown
    assert code == 0
    plans = json.loads(loaded.run("resend", FLOW, TARGET, "--json"))
    assert {plan["mapping"]: plan["pending"] for plan in plans}[CHANGED] == PARTNERS


@pytest.mark.fault("U2")
def test_resend_acts_on_yes(loaded: World):
    change_the_write_mapping(loaded)
    code, shown = on_a_terminal(loaded, "resend", FLOW, TARGET, answer="y\n")
    assert code == 0
    assert f"{PARTNERS} records are due with the next distribution" in shown
    assert "nothing to resend" in loaded.run("resend", FLOW, TARGET)


@pytest.mark.fault("U2")
def test_without_a_terminal_resend_only_counts_and_says_how_to_go_on(loaded: World):
    change_the_write_mapping(loaded)
    shown = loaded.run("resend", FLOW, TARGET)
    assert f"{PARTNERS} records would be looked at again" in shown
    assert shown.endswith(f"to do it: l2c resend {FLOW} {TARGET} --yes\n")
    plans = json.loads(loaded.run("resend", FLOW, TARGET, "--yes", "--json"))
    assert {plan["mapping"]: plan["done"] for plan in plans}[CHANGED]


def test_a_terminal_gets_a_bar_and_bold_heads_elsewhere_lines_are_plain(world: World):
    code, shown = on_a_terminal(world, "capture", FLOW)
    assert code == 0
    assert "━" in shown, "a bar was drawn"
    assert "\x1b" not in world.run("distribute", FLOW)
    _, bold = on_a_terminal(world, "status")
    assert "\x1b[1m" in bold
    _, plain = on_a_terminal(world, "status", NO_COLOR="1")
    assert "\x1b" not in plain


def test_no_secret_is_ever_printed(loaded: World):
    loaded.env = {**loaded.env, "L2C_CONNECTION_S4HANA": "https://HUB_USER:hush-hush@127.0.0.1:1"}
    shown = [loaded.run(*words, expect=3) for words in (["check", SOURCE], ["capture", FLOW, "--debug"])]
    assert not [text for text in shown if "hush-hush" in text]


def test_a_database_that_is_away_is_no_traceback(world: World):
    world.env = {**world.env, "L2C_DATABASE_URL": "postgresql+psycopg://hub:hush-hush@127.0.0.1:1/hub"}
    shown = world.run("status", expect=3)
    assert shown.startswith("state store: cannot connect to 'postgresql+psycopg://hub:***@127.0.0.1:1/hub'")
    assert len(shown.splitlines()) == 1
