"""The fault catalogue: what can go wrong between two systems, and what the hub then does.

A test shows a row by `@pytest.mark.fault("R1")`. `docs/generate_faults.py` writes `docs/reference/faults.md` from the rows
and the marks. A row of two lines: its id and what goes wrong; what the hub does.
"""

from dataclasses import dataclass

GROUPS = {
    "R": "Reading from a source",
    "W": "Time and change stamps",
    "T": "Writing to a target",
    "N": "Network",
    "A": "Signing in",
    "D": "Data",
    "S": "Schema",
    "F": "References and two-way replication",
    "C": "Concurrency",
    "X": "State store and disk",
    "U": "Upgrade and change of configuration",
}

_READING = """
R1 Records come and go while a list is read page by page, so that positions shift.
 = The system's own next link is followed, else pages go on behind the last key; a record shown twice has one effect.
R2 The system gives fewer rows a page than asked for, or ends a page early.
 = Pages are read until the system shows no next link, or until a page behind the last key is empty.
R3 The system shows the same page again for every next link.
 = The read ends with an error that names the page that came again; the cursor stays.
R4 More records have one change stamp than a page holds.
 = Pages go on behind stamp and key together, so that the read advances and ends.
R5 A next link leads to another host or leaves the service.
 = It is refused before a byte is sent; the message names both addresses.
R6 A next link is relative, or holds a token that is already encoded.
 = It is resolved against the address of the request; the token goes back as it came.
R7 A list within a record was cut by the system.
 = The record is not taken for a whole one: the read ends with an error that names the list, and the cursor stays.
R8 A record changes between the list that named it and the read that shows it.
 = Stamp and content come from one answer or the record is read again; the newest version arrives in the end.
R9 A record is gone between the list that named it and the read that shows it.
 = A record not found is told as deleted, not as an error.
R10 A delta does not show what was deleted.
 = Absence in a delta never deletes; flags, messages and sweeps do.
R11 A delta token is no longer valid.
 = No system of the hub is read by delta tokens: cursors are change stamps and keys, which do not expire.
R12 A sign-in page comes with status 200 in place of data.
 = It is an error of the login that names the page's title; it is not tried again.
R13 An error comes with status 200 in the body.
 = It is an error, or a refusal of the record, in the system's own words.
R14 An answer is cut, with or without an announced length.
 = A part is never taken for the whole: nothing of the page is settled, and the next run reads it again.
R15 JSON with a name twice, NaN, absurd numbers or absurd depth.
 = It is refused as an unexpected answer; numbers stay exact.
R16 A service answers in another version of OData than the connector speaks.
 = The run ends with an error that says what was expected; nothing is read.
R17 A record or an answer is huge.
 = An answer is read up to a cap; above it, the run ends and tells it. A larger record than its flow allows is a dead letter.
R18 Many keys make an address longer than servers take.
 = The keys are cut into several requests.
R19 XML in place of JSON, or no charset.
 = Bodies are read from their bytes by the rules of their format; XML in place of JSON is named.
"""

_TIME = """
W1 A stamp has whole seconds; a record changes in the second in which it was read.
 = The lower bound is inclusive and lies an overlap before the last read; what is known already writes nothing.
W2 A record moves forward while a delta is read.
 = The cursor is the source's clock at the beginning of the read, so the next delta shows the record again.
W3 A change becomes visible later than its stamp says.
 = Within the overlap the next delta shows it; beyond, the sweep does.
W4 Stamps are rounded or cut on the way.
 = Stamps are kept as the source shows them, in its own unit, and compared in that form.
W5 The clocks of hub and source differ, or the source's clock is set back.
 = Bounds come from the source's clock only, never from the hub's; `l2c check` tells how far they are apart.
W6 One record has a stamp far in the future.
 = It is read and does not move the cursor; a warning names it.
W7 Clocks change to summer time and back.
 = Bounds allow for an hour that is missing or told twice; a run skipped or doubled loses and writes nothing.
W8 A day is outside the calendar: year 1, below, or beyond 9999.
 = The page is read; the text stays as it came and only the record that needs it as a day is set aside.
W9 31.12.9999 with a time zone.
 = Days have no zone and are never shifted.
W10 A moment without a zone, or the end of a day as 24:00.
 = The zone of each system is configured; a moment is told in UTC.
W11 A worker dies between saving the records and saving the cursor.
 = Both are one transaction; a page that was not settled is read again.
"""

_WRITING = """
T1 The target has written, but its answer is lost.
 = What may have been written is in doubt: it is looked up by its mark and adopted, or sent again when it is not there.
T2 The target writes later than the hub waits.
 = The look-up waits for the target's longest processing time; two hits are an alarm that a person decides.
T3 The target has no field to look a record up by.
 = A mapping has to say so; an outcome that is not known then stops the record until a person decides.
T4 Of a batch some parts fail, are missing or come in another order.
 = Each record is a changeset of its own and is matched by its name; what has no answer is in doubt, its neighbours are not.
T5 The target takes fewer changes at once than were sent.
 = The batch is halved until it fits.
T6 The CSRF token expires, or several threads fetch one.
 = A token and its cookies are one session's; a refused one is fetched anew once, without loss; any other 403 is an error.
T7 Somebody changed the record in the target meanwhile.
 = The write is a conflict: the record is read first, then only fields in which it differs are written.
T8 The record is locked by a user.
 = It is tried again later, with growing waits; SAP's words are kept.
T9 429 without, with a huge, or with an unusual Retry-After.
 = Both forms are honoured; a wait longer than a run has postpones the runs of the system.
T10 The system answers 5xx for minutes.
 = The breaker of the system opens: runs end early, cursors stay, one request at a time tries whether it is back.
T11 The target refuses one record for good.
 = It is a dead letter after one attempt, its neighbours are written; a later change of the record settles it.
T12 All records fail in the same way.
 = The error budget stops the run instead of filling the dead letters.
T13 A record and its parts are created in one request, and only the head arrives.
 = Head and parts go in one changeset: all of it happens or nothing; what the target then shows is read back.
T14 The target rounds, cuts or rewrites what it was sent.
 = What it shows after the write is what the next write is compared with; its own form is no edit and no endless write.
T15 Null means clear, absence means keep.
 = Absent, null and value stay three things from source to target; a field the source does not show is never cleared.
T16 A dead letter is sent again after a newer change.
 = A redrive reads the source again and maps again; a stored payload is never sent.
T17 The target gives a record a number of its own.
 = Its key and the end of the write are one transaction; a worker that dies in between finds the record by its mark.
"""

_NETWORK = """
N1 Refused, reset, slow, limited, half-closed and silent connections.
 = What never left is tried again; of what may have arrived only what may be repeated is; every call has a deadline.
N2 An answer arrives drop by drop.
 = The deadline counts for the whole call.
N3 A small compressed answer becomes gigabytes.
 = Answers are unpacked up to a cap while they arrive.
N4 A redirect leads to another host.
 = It is refused before a byte, a key or a body is sent there.
N5 Proxies and logins of the environment.
 = Nothing is taken from the environment.
N6 A bad certificate, or no TLS.
 = It is refused and named; there is no switch to allow it, only a file of authorities.
A1 A token expires during the run.
 = It is renewed before its end; a refused one is renewed once and the call repeated.
A2 Many threads need a new token at once.
 = A process fetches one.
A3 Wrong credentials lock the technical user.
 = A refused login opens the system's breaker until a person acts.
A4 An assertion is valid from a moment that has not come yet.
 = The hub signs in with passwords, client credentials and tokens; it makes and takes no SAML assertions.
"""

_DATA = """
D1 Null, an empty text and a missing field.
 = They are three things in the mapping; a missing field changes nothing.
D2 Decimals become binary floats, or have absurd exponents.
 = Numbers are decimals throughout; absurd ones reject the record at once.
D3 Rounded items do not add up to the rounded total.
 = The hub replicates no documents with totals yet: partners and contacts hold no amounts.
D4 A text is longer than the field of the target.
 = Lengths count as the target counts; too long is rejected, or cut where the mapping says so, never within a character.
D5 Surrogates, NUL and control characters.
 = What cannot be kept is rejected with the field and without the value; every other character arrives as it is.
D6 Leading zeros, inner and outer form of a number.
 = Keys are texts in one form; digits are never read as numbers.
D7 Upper and lower case of ß and the Turkish i.
 = Case is folded to compare, never to store.
D8 A code that a value map does not know.
 = The record is a dead letter that names value and file; once the line is added a redrive writes it.
D9 A unit or currency whose code differs between systems.
 = A value map translates it, with the same gaps and words as any code.
D10 Days that say "none": zeros, empty, 1753, 9999.
 = The mapping names them; what is no day rejects one record, not the page.
D11 HTML, scripts and formulas in text.
 = Text is stored as it is and escaped where it is shown.
D12 Line breaks in names on their way into headers.
 = What is sent as a header or an address is encoded or refused.
D13 The same customer twice in one system.
 = Records are never merged without a person: two candidates are told and wait for a decision.
"""

_SCHEMA = """
S1 A field the mapping uses is gone, renamed or of another kind.
 = The run stops before it reads, naming field and file:line.
S2 A field of the target becomes shorter or mandatory.
 = `l2c check` tells it by file:line; too long values are rejected by name and never cut silently.
S3 A new property or a new code.
 = A property no mapping asks for changes nothing; a new code is treated as any gap of a value map.
S4 The metadata are missing, no XML, huge or hostile.
 = They are refused before anything is read or sent; entities and document types are never expanded.
F1 A record refers to one that is not there yet.
 = It waits with the missing key and is woken when that arrives.
F2 Records refer to each other in a circle.
 = References point one way, from contact to partner: no circle between the entities there are.
F3 A hierarchy of great depth, or its own parent.
 = No entity refers to its own kind.
F4 A record is deleted that others refer to.
 = It is blocked, not deleted, where the mapping says so; many at once stop the run first.
F5 A system shows what the hub itself has written.
 = It equals the hub's picture of that system: no change, no write back.
F6 Both systems change the same record.
 = The owner of each field decides, or the younger edit; what loses is told and goes back.
"""

_RUNNING = """
C1 Two workers run the same flow.
 = A lease lets one through; whoever lost it is refused by its number at the next write.
C2 A worker is killed at any instruction.
 = What was not settled is done again, what may have been sent is looked up first: nothing is lost, nothing doubled.
C3 A worker is asked to end.
 = It settles the block in hand and ends.
C4 The clock of a worker jumps.
 = A jump ahead costs the lease at worst, one back nothing.
X1 Several writers on one SQLite file.
 = Writers take turns from their first statement on; none fails.
X2 The machine loses power after a commit.
 = SQLite writes through to the disk before anything is sent.
X3 The state store is away.
 = Nothing is sent while no intent can be stored; the message says so.
X4 The state store is restored from an older copy.
 = `l2c adopt` finds what was created since; nothing is created twice.
X5 The disk is full.
 = The run ends with place and size, and goes on when there is room.
X6 The state store grows.
 = Journal and runs go by age; heads, keys and what may have been sent stay.
X7 A row of the state store is damaged.
 = It is set aside by name, the run goes on, a redrive repairs it.
X8 Payloads or secrets between the tasks of Airflow.
 = Tasks hand over run ids and counts only.
U1 An upgrade while runs are under way, and the way back.
 = It waits for the run; data survive both ways; an old worker refuses a newer schema.
U2 A changed mapping makes every record differ.
 = Nothing is sent before somebody has seen how much.
U3 A mapping is edited while a run reads.
 = A run keeps the mapping it was planned with.
U4 A library behaves differently after an update.
 = Versions and hashes are locked, and what is installed is compared with the lock.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One fault: its id, what goes wrong, what the hub does."""

    id: str
    fault: str
    behaviour: str


def _rows(text: str) -> list[Row]:
    lines = text.strip().splitlines()
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return [Row(*head.split(" ", 1), below.removeprefix(" = ")) for head, below in pairs]


ROWS = [row for text in (_READING, _TIME, _WRITING, _NETWORK, _DATA, _SCHEMA, _RUNNING) for row in _rows(text)]

# Rows without a test, each with its reason.
UNTESTED = {
    "R11": "no connector uses delta tokens",
    "A4": "no connector uses SAML",
    "D3": "no entity holds amounts yet",
}
MOST_UNTESTED = 15
