"""The delta of partners against a table that changes while it is read: random schedules, empty stamps, clock changes.

The table is a small HTTP server of its own, because the simulated system stamps every partner and cannot sort empty
stamps last, as some databases do. What a wrong time zone does is tried on both.
"""

import json
import random
import re
import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from connectors.s4hana import S4HanaConnector, Settings
from l2c.contract import Connection, System
from l2c.errors import ProtocolError

ENTITY = "A_BusinessPartner"
PROPERTIES = {
    "BusinessPartner": "Edm.String",
    "LastChangeDate": "Edm.DateTime",
    "LastChangeTime": "Edm.Time",
    "CreationDate": "Edm.DateTime",
    "CreationTime": "Edm.Time",
    "OrganizationBPName1": "Edm.String",
}
METADATA = (
    '<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"><edmx:DataServices>'
    '<Schema Namespace="N" xmlns="http://schemas.microsoft.com/ado/2008/09/edm"'
    ' xmlns:sap="http://www.sap.com/Protocols/SAPData">'
    f'<EntityType Name="{ENTITY}Type"><Key><PropertyRef Name="BusinessPartner"/></Key>'
    + "".join(f'<Property Name="{n}" Type="{t}" sap:display-format="Date"/>' for n, t in PROPERTIES.items())
    + f'</EntityType><EntityContainer Name="C"><EntitySet Name="{ENTITY}" EntityType="N.{ENTITY}Type"/>'
    "</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"
).encode()
TOKENS = [
    (r"datetime'([^']*)T00:00:00'", r"'\1'"),
    (r"time'PT(\d\d)H(\d\d)M(\d\d)S'", r"'\1:\2:\3'"),
    (r" eq null", " IS NULL"),
    (r" eq ", " = "),
    (r" gt ", " > "),
    (r" ge ", " >= "),
    (r" lt ", " < "),
    (r" le ", " <= "),
]
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class Table:
    """Partners with change and creation stamps in the local time of `zone`; `now` is the server's clock.

    `configured`: the zone the hub was told.
    """

    def __init__(self, zone=UTC, *, configured=None, nulls="FIRST", cap=1000):
        self.zone, self.nulls, self.cap, self.now = zone, nulls, cap, START
        self.configured = configured or zone
        self.db = sqlite3.connect(":memory:", check_same_thread=False)
        self.db.execute("CREATE TABLE p (k PRIMARY KEY, day, time, born_day, born_time, name)")
        self.requests = []
        self.before_answer = lambda: None
        self.stamps_late = False
        self.version = {}

    def local(self):
        found = self.now.astimezone(self.zone)
        return found.strftime("%Y-%m-%d"), found.strftime("%H:%M:%S")

    def create(self, key, *, stamped):
        self.version[key] = "v0"
        born = self.local()
        row = (key, *(born if stamped else (None, None)), *born, "v0")
        self.db.execute("INSERT INTO p VALUES (?, ?, ?, ?, ?, ?)", row)

    def change(self, key, *, stamp=None):
        self.version[key] = f"v{int(self.version[key][1:]) + 1}"
        day, time = stamp or self.local()
        self.db.execute("UPDATE p SET day=?, time=?, name=? WHERE k=?", (day, time, self.version[key], key))

    def page(self, options):
        condition = options.get("$filter", "1=1")
        for pattern, by in TOKENS:
            condition = re.sub(pattern, by, condition)
        for name, column in zip(PROPERTIES, ("k", "day", "time", "born_day", "born_time", "name"), strict=True):
            condition = condition.replace(name, column)
        order = options["$orderby"].replace("LastChangeDate", "day").replace("LastChangeTime", "time")
        order = order.replace("BusinessPartner", "k")
        order = ", ".join(f"{column} NULLS {self.nulls}" for column in order.split(","))
        top = min(int(options["$top"]), self.cap)
        rows = self.db.execute(f"SELECT * FROM p WHERE {condition} ORDER BY {order} LIMIT {top}").fetchall()
        body = {"results": [self.record(row) for row in rows]}
        if "$inlinecount" in options:
            (count,) = self.db.execute(f"SELECT count(*) FROM p WHERE {condition}").fetchone()
            body["__count"] = str(count)
        return {"d": body}

    @staticmethod
    def record(row):
        def ticks(day):
            if day is None:
                return None
            return f"/Date({int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1000})/"

        def duration(time):
            return None if time is None else "PT{}H{}M{}S".format(*time.split(":"))

        key, day, time, born_day, born_time, name = row
        return {
            "BusinessPartner": key,
            "LastChangeDate": ticks(day),
            "LastChangeTime": duration(time),
            "CreationDate": ticks(born_day),
            "CreationTime": duration(born_time),
            "OrganizationBPName1": name,
        }


@pytest.fixture
def serve():
    running = []

    def start(table):
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                with lock:
                    options = dict(parse_qsl(urlsplit(self.path).query))
                    seen_at = table.now
                    if "$metadata" in self.path:
                        body = METADATA
                    else:
                        table.requests.append(options)
                        body = json.dumps(table.page(options)).encode()
                        table.before_answer()
                    told = table.now if table.stamps_late else seen_at
                    stamp = told.strftime("%a, %d %b %Y %H:%M:%S GMT")
                head = f"HTTP/1.1 200 OK\r\nDate: {stamp}\r\nContent-Length: {len(body)}\r\n\r\n"
                self.wfile.write(head.encode() + body)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        system = System("erp", Connection(f"http://127.0.0.1:{server.server_port}"), time_zone=table.configured)
        connectors = []

        def connector(**settings):
            made = S4HanaConnector(system, Settings(**{"overlap_s": 0, **settings}))
            connectors.append(made)
            return made

        running.append((server, connectors))
        return connector

    yield start
    for server, connectors in running:
        for made in connectors:
            made.close()
        server.shutdown()
        server.server_close()


def read(connector, since, size=5, stop_after=None):
    """Versions seen by key, and the cursor after the last page taken; as a consumer that settles page by page does."""
    seen, cursor = {}, since
    for number, page in enumerate(connector.read(ENTITY, since=since, page_size=size), start=1):
        seen.update({record.key: record.data["OrganizationBPName1"] for record in page.records})
        cursor = page.cursor or cursor
        if number == stop_after:
            break
    return seen, cursor


@pytest.mark.fault("R1", "W1", "W2")
@pytest.mark.parametrize("nulls", ["FIRST", "LAST"])
@pytest.mark.parametrize("seed", range(12))
def test_no_schedule_of_changes_loses_a_version(serve, nulls, seed):
    """Partners are created (with and without stamp) and changed while pages are read, reads are broken off and resumed."""
    rng = random.Random(seed)
    configured = ZoneInfo(["UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Tokyo"][seed % 4])
    table = Table(configured=configured, nulls=nulls, cap=rng.choice([3, 1000]))
    connector = serve(table)()
    keys = []

    def meanwhile():
        table.now += timedelta(seconds=rng.choice([0, 0, 1, 7]))
        for _ in range(rng.randrange(3)):
            if not keys or rng.random() < 0.4:
                keys.append(f"{rng.randrange(10**6):06}{len(keys):04}")
                table.create(keys[-1], stamped=rng.random() < 0.5)
            else:
                table.change(rng.choice(keys))

    for _ in range(20):
        meanwhile()
    table.before_answer = meanwhile
    known, cursor = {}, None
    for _ in range(15):
        seen, cursor = read(connector, cursor, rng.choice([1, 2, 5, 50]), rng.choice([None, None, 1, 2]))
        known.update(seen)
    table.before_answer = lambda: None
    for _ in range(3):  # the first one may only end a read that was broken off
        table.now += timedelta(seconds=1)
        seen, cursor = read(connector, cursor)
        known.update(seen)
    assert known == table.version


def test_partners_that_were_never_changed_come_once_and_move_nothing(serve):
    table = Table()
    connector = serve(table)()
    _, cursor = read(connector, None)
    table.now += timedelta(minutes=1)
    for number in range(12):
        table.create(f"{number:04}", stamped=False)
    table.now += timedelta(minutes=1)
    seen, cursor = read(connector, cursor)
    assert len(seen) == 12
    table.change("0003")
    assert read(connector, cursor)[0] == {"0003": "v1"}


def test_partners_without_a_stamp_can_be_left_out(serve):
    table = Table()
    connector = serve(table)(read_unstamped=False)
    _, cursor = read(connector, None)
    table.create("1", stamped=False)
    assert read(connector, cursor)[0] == {}
    assert "null" not in table.requests[-1]["$filter"]


def test_a_run_with_nothing_new_is_one_request_and_moves_the_cursor(serve):
    table = Table()
    table.create("1", stamped=True)
    table.now += timedelta(minutes=1)
    connector = serve(table)()
    _, cursor = read(connector, None)
    table.now += timedelta(minutes=59)
    table.requests.clear()
    pages = list(connector.read(ENTITY, since=cursor, page_size=100))
    assert ([list(page.records) for page in pages], len(table.requests)) == ([[]], 1)
    assert json.loads(pages[-1].cursor)["u"] >= "2026-03-02T08:59:59Z"


@pytest.mark.fault("R4")
def test_more_partners_with_one_stamp_than_a_page_holds_advance(serve):
    table = Table()
    connector = serve(table)()
    _, cursor = read(connector, None)
    for number in range(100):
        table.create(f"{number:04}", stamped=True)
    seen, _ = read(connector, cursor, size=7)
    assert len(seen) == 100
    assert len({json.dumps(options) for options in table.requests}) == len(table.requests)


@pytest.mark.fault("W6")
def test_a_stamp_in_the_far_future_is_read_and_moves_nothing(serve):
    table = Table()
    connector = serve(table)()
    _, cursor = read(connector, None)
    table.create("1", stamped=True)
    table.create("2", stamped=True)
    table.now += timedelta(minutes=1)
    table.change("1", stamp=("2999-01-01", "00:00:00"))
    seen, cursor = read(connector, cursor)
    assert seen == {"1": "v1", "2": "v0"}
    assert "2026-03-02T08:00:59Z" <= json.loads(cursor)["u"] <= "2026-03-02T08:01:00Z"
    table.now += timedelta(minutes=1)
    table.change("2")
    assert read(connector, cursor)[0]["2"] == "v1"


@pytest.mark.fault("W3")
def test_the_overlap_reaches_back_for_late_commits(serve):
    table = Table()
    connector = serve(table)(overlap_s=300)
    _, cursor = read(connector, None)
    table.now += timedelta(minutes=10)
    _, cursor = read(connector, cursor)
    stamp = (table.now - timedelta(minutes=4)).strftime("%Y-%m-%d %H:%M:%S").split()
    table.create("late", stamped=True)
    table.change("late", stamp=stamp)
    table.now += timedelta(seconds=30)
    assert read(connector, cursor)[0] == {"late": "v1"}


@pytest.mark.fault("W2")
def test_a_change_behind_a_slow_query_and_before_its_answer_is_not_lost(serve):
    table = Table()
    table.create("1", stamped=True)
    table.stamps_late = True
    connector = serve(table)()

    def slow():
        time.sleep(1.01)
        table.now += timedelta(seconds=0.5)
        table.change("1")
        table.now += timedelta(seconds=0.5)

    table.before_answer = slow
    _, cursor = read(connector, None)
    table.before_answer = lambda: None
    assert read(connector, cursor)[0] == {"1": "v1"}


@pytest.mark.fault("W5")
def test_a_clock_that_is_set_back_loses_nothing(serve):
    table = Table()
    table.create("1", stamped=True)
    table.now += timedelta(hours=1)
    connector = serve(table)()
    _, cursor = read(connector, None)
    table.now -= timedelta(minutes=30)
    table.change("1")
    seen, cursor = read(connector, cursor)
    assert seen == {"1": "v1"}
    table.now += timedelta(minutes=1)
    table.change("1")
    assert read(connector, cursor)[0] == {"1": "v2"}


@pytest.mark.fault("W7")
@pytest.mark.parametrize(
    ("zone", "configured"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("America/New_York", "America/New_York"),
        ("Asia/Kolkata", "Asia/Kolkata"),
        ("Australia/Lord_Howe", "Australia/Lord_Howe"),
        ("UTC", "Europe/London"),
        ("UTC", "America/Los_Angeles"),
        ("UTC", "Pacific/Kiritimati"),
        ("Europe/Berlin", "UTC"),
        ("Europe/London", "Europe/Berlin"),
        ("Asia/Kolkata", "Asia/Kathmandu"),
        ("Asia/Tokyo", "America/New_York"),
    ],
)
def test_stamps_in_local_time_survive_every_clock_change_of_a_year(serve, zone, configured):
    """Every three days of a year, and every ten minutes around each change of the clocks, a partner is changed and read."""
    places = [ZoneInfo(zone), ZoneInfo(configured)]
    table = Table(places[0], configured=places[1])
    table.now = datetime(2026, 1, 1, tzinfo=UTC)
    table.create("1", stamped=True)
    connector = serve(table)(count=False)
    _, cursor = read(connector, None)
    while table.now < datetime(2027, 1, 1, tzinfo=UTC):
        near = [table.now + timedelta(hours=hours) for hours in (-2, 0, 2)]
        moves = any(len({moment.astimezone(place).utcoffset() for moment in near}) > 1 for place in places)
        table.now += timedelta(minutes=10) if moves else timedelta(hours=71)
        table.change("1")
        if table.now.minute % 20:
            continue  # two changes between two reads
        seen, cursor = read(connector, cursor)
        assert seen == {"1": table.version["1"]}, table.now


@pytest.mark.fault("W10")
def test_the_change_stamp_is_told_in_utc(serve):
    table = Table(ZoneInfo("Europe/Berlin"))
    table.create("1", stamped=True)
    table.create("2", stamped=False)
    (page,) = serve(table)().read(ENTITY, since=None, page_size=10)
    assert [record.changed_at for record in page.records] == [START, None]


def test_since_and_until_may_be_moments(serve):
    table = Table()
    connector = serve(table)()
    for number in range(5):
        table.create(str(number), stamped=True)
        table.now += timedelta(hours=1)
    pages = connector.read(ENTITY, since="2026-03-02T09:00:00Z", until="2026-03-02T11:00:00+00:00", page_size=10)
    assert sorted(record.key for page in pages for record in page.records) == ["1", "2", "3"]


def test_a_server_that_ignores_the_filter_ends_the_read(serve):
    table = Table()
    for number in range(9):
        table.create(str(number), stamped=True)
    connector = serve(table)()
    page = table.page
    table.page = lambda options: page({**options, "$filter": "1=1"})
    with pytest.raises(ProtocolError, match="the source repeats a page"):
        read(connector, None, size=3)


# A configured time zone that is not the system's


ZONES = ["UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Tokyo"]


@pytest.fixture
def partners(start_sandbox):
    """The simulated system with 40 partners, whose stamps are in UTC."""
    return start_sandbox("s4hana", partners=40)


@pytest.fixture
def told(partners):
    """A connector that was told some time zone."""
    made = []

    def build(zone):
        connection = Connection(partners.url, "HUB_USER", SecretStr("sandbox-s4-secret"))
        made.append(S4HanaConnector(System("erp", connection, time_zone=ZoneInfo(zone)), Settings(client="100")))
        return made[-1]

    yield build
    for connector in made:
        connector.close()


class Hours:
    """Moves the simulated system's clock and changes its partners."""

    def __init__(self, sandbox):
        self.sandbox, self.ahead, self.number = sandbox, timedelta(), 0
        self.keys = [row["key"] for row in sandbox.control("GET", f"/records?entity={ENTITY}&limit=1000")]

    def forward(self, **parts):
        self.ahead += timedelta(**parts)
        self.sandbox.control("POST", "/clock", {"offset_s": self.ahead.total_seconds()})

    def change(self, key):
        self.number += 1
        change = {"entity": ENTITY, "key": key, "set": {"OrganizationBPName1": f"Changed {self.number}"}}
        self.sandbox.control("POST", "/change", change)

    def organizations(self):
        found = (self.sandbox.control("GET", f"/record?entity={ENTITY}&key={key}") for key in self.keys)
        return [row["BusinessPartner"] for row in found if row["BusinessPartnerCategory"] == "2"]

    def reads(self):
        counted = self.sandbox.control("GET", "/stats")["requests"]
        return sum(count for name, count in counted.items() if ENTITY in name)


def shown(connector, since, size=100):
    """Keys of a read and the cursor behind it."""
    pages = list(connector.read(ENTITY, since=since, page_size=size, fields=["BusinessPartner", "OrganizationBPName1"]))
    return {record.key for page in pages for record in page.records}, pages[-1].cursor


@pytest.mark.fault("W10")
@pytest.mark.parametrize("zone", ZONES)
def test_a_change_is_found_whatever_time_zone_is_configured(partners, told, zone):
    hours, connector = Hours(partners), told(zone)
    _, cursor = shown(connector, None)
    changed = set()
    for key in hours.organizations()[:4]:
        hours.forward(minutes=7)
        hours.change(key)
        changed.add(key)
        found, cursor = shown(connector, cursor)
        assert key in found
        assert found <= changed
        hours.forward(minutes=11)
        assert shown(connector, cursor)[0] <= changed
    hours.forward(minutes=11)
    _, cursor = shown(connector, cursor)
    before = hours.reads()
    found, cursor = shown(connector, cursor)
    assert hours.reads() == before + 1
    # a zone too far west reads its hours again, any other nothing
    assert found <= changed if zone == "America/Los_Angeles" else not found
    hours.forward(hours=40)
    _, cursor = shown(connector, cursor)
    assert shown(connector, cursor)[0] == set()


def test_a_zone_too_far_west_cuts_nothing_off(partners, told):
    """What looks ahead of the clock may be the zone's fault: every page of it is read."""
    hours, connector = Hours(partners), told("America/Los_Angeles")
    _, cursor = shown(connector, None)
    hours.forward(minutes=10)
    changed = hours.organizations()[:15]
    for key in changed:
        hours.forward(seconds=20)
        hours.change(key)
    assert shown(connector, cursor, size=4)[0] == set(changed)


@pytest.mark.parametrize("zone", ZONES)
def test_a_cursor_of_an_older_version_is_read_on(partners, told, zone):
    hours, connector = Hours(partners), told(zone)
    cursor = json.dumps({"u": json.loads(shown(connector, None)[1])["u"]})
    hours.forward(minutes=7)
    hours.change(hours.organizations()[3])
    assert shown(connector, cursor)[0] == {hours.organizations()[3]}


@pytest.mark.fault("W6")
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("ahead", [timedelta(hours=12), timedelta(days=400)])
def test_a_stamp_in_the_future_hides_no_change(partners, told, zone, ahead):
    hours, connector = Hours(partners), told(zone)
    early, wrong, late, last = hours.organizations()[:4]
    hours.change(early)
    hours.forward(seconds=ahead.total_seconds())
    hours.change(wrong)
    hours.forward(seconds=-ahead.total_seconds())
    _, cursor = shown(connector, None)
    for key in (late, last):
        hours.forward(minutes=10)
        hours.change(key)
        found, cursor = shown(connector, cursor)
        assert key in found


def test_a_first_load_of_an_empty_system_is_followed_by_what_comes(serve):
    for configured in ZONES:
        table = Table(configured=ZoneInfo(configured))
        connector = serve(table)()
        _, cursor = read(connector, None)
        table.now += timedelta(minutes=5)
        table.create("1", stamped=False)
        seen, cursor = read(connector, cursor)
        assert seen == {"1": "v0"}
        table.now += timedelta(hours=3)
        table.create("2", stamped=False)
        table.change("1")
        assert read(connector, cursor)[0] == {"1": "v1", "2": "v0"}


@pytest.mark.parametrize("configured", ZONES)
def test_many_changes_of_one_moment_are_not_read_for_ever(serve, configured):
    """A mass change is shown again while late commits may follow it, then no more."""
    table = Table(configured=ZoneInfo(configured))
    for number in range(300):
        table.create(f"{number:04}", stamped=number % 2 == 0)
    connector = serve(table)(overlap_s=300)
    table.now += timedelta(minutes=2)
    _, cursor = read(connector, None, size=50)
    shown_again = []
    for _ in range(12):
        table.now += timedelta(minutes=10)
        seen, cursor = read(connector, cursor, size=50)
        shown_again.append(len(seen))
    if configured == "America/Los_Angeles":  # its hours by the clock
        table.now += timedelta(hours=40)
        _, cursor = read(connector, cursor, size=50)
        shown_again.append(len(read(connector, cursor, size=50)[0]))
    assert shown_again[-1] == 0
    if configured != "America/Los_Angeles":
        assert sum(shown_again) <= 600


@pytest.mark.fault("W7")
def test_a_zone_that_becomes_wrong_over_an_idle_night_hides_no_change(serve):
    """London keeps UTC in winter only: what was learned before the clocks changed there is worth nothing after it."""
    table = Table(configured=ZoneInfo("Europe/London"))
    table.now = datetime(2026, 3, 28, 23, 40, tzinfo=UTC)
    table.create("1", stamped=True)
    connector = serve(table)(overlap_s=300)
    _, cursor = read(connector, None)
    while table.now < datetime(2026, 3, 29, 1, 30, tzinfo=UTC):
        table.now += timedelta(minutes=10)
        _, cursor = read(connector, cursor)
    table.change("1")
    table.now += timedelta(minutes=1)
    assert read(connector, cursor)[0] == {"1": "v1"}
