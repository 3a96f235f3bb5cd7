"""The state schema: every table of the hub, in one place.

Times are integers, milliseconds since 1970 UTC. Hashes are 16 bytes. `entity` is the canonical entity, `system` and `target`
are names from `config/systems.yaml`, `record` is the hub's own number of a canonical record (unique per entity).
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from l2c.state.columns import Bytes

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

CLUSTERED: dict[str, Any] = {"sqlite_with_rowid": False}  # SQLite: rows stand in the order of their key

run = Table(
    "run",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True, comment="number of the run"),
    Column("entity", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="capture, sweep, watch or distribute"),
    Column("system", Text, nullable=False),
    Column("watch", Text, comment="native child set a watch run compares"),
    Column("status", Text, nullable=False, comment="running, done, failed, postponed or braked"),
    Column("partitions", Text, nullable=False, comment="JSON list of partitions planned"),
    Column("open_partitions", Text, nullable=False, comment="JSON list of partitions not finished yet"),
    Column("counts", Text, nullable=False, comment="JSON object: records by end state, saved with every page or block"),
    Column("message", Text, nullable=False, server_default=""),
    Column("mapping", Text, nullable=False, server_default="", comment="version of the read mapping, for captures"),
    Column("started", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Index(None, "entity", "system", "kind", "id"),
    sqlite_autoincrement=True,
)

cursor = Table(
    "cursor",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("system", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("partition", Text, primary_key=True),
    Column("value", Text, comment="opaque text of the connector, or the last journal sequence number distributed"),
    Column("moved", BigInteger, nullable=False),
    **CLUSTERED,
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("entity", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("native_key", Text, nullable=False, comment="key to fetch"),
    Column("reason", Text, nullable=False, comment="webhook, watch, stale read, redrive, sweep …"),
    Column("body", Bytes, comment="a message stored as received"),
    Column("received", BigInteger, nullable=False),
    UniqueConstraint("entity", "system", "native_key"),
    sqlite_autoincrement=True,
)

stream = Table(
    "stream",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False, comment="last sequence number given; its row lock puts appends in order"),
    Column("records", BigInteger, nullable=False, server_default="0", comment="last record number given"),
    **CLUSTERED,
)

journal = Table(
    "journal",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, comment="dense per entity, visible in order"),
    Column("record", BigInteger, nullable=False),
    Column("previous", BigInteger, comment="the record's entry before; none for its birth"),
    Column("kind", Text, nullable=False, comment="change, delete or merge"),
    Column("origin", Text, nullable=False, comment="system whose read or edit this is"),
    Column("run", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, comment="the system's own change stamp"),
    Column("mapping", Text, nullable=False, comment="version of the read mapping"),
    Column("hash", Bytes, nullable=False),
    Column("codec", Text, nullable=False, comment="how the payload is stored: json"),
    Column("payload", Bytes, nullable=False, comment="canonical JSON bytes exactly as hashed"),
)

record = Table(
    "record",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("record", BigInteger, primary_key=True),
    Column("head_seq", BigInteger, nullable=False, comment="newest journal entry: the record's state"),
    Column("hash", Bytes, nullable=False, comment="of the head"),
    Column("origin", Text, nullable=False, comment="system of birth"),
    Column("deleted", Boolean, nullable=False),
    Column("merged_into", BigInteger),
    Index(None, "entity", "head_seq"),
    **CLUSTERED,
)

view = Table(
    "view",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("record", BigInteger, primary_key=True),
    Column("system", Text, primary_key=True),
    Column("hash", Bytes, nullable=False, comment="of what the system last showed, in canonical form"),
    Column("payload", Bytes, comment="kept only where it differs from the head"),
    Column("etag", Text),
    Column("changed_at", BigInteger),
    Column("read_at", BigInteger, nullable=False, comment="when the read that showed it began"),
    **CLUSTERED,
)

key_mapping = Table(
    "key_mapping",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("system", Text, primary_key=True),
    Column(
        "path", Text, primary_key=True, comment="'' for the record, else another key (customer) or a list (addresses)"
    ),
    Column("native_key", Text, primary_key=True),
    Column("record", BigInteger, nullable=False),
    Column("element", Text, nullable=False, server_default="", comment="for a list: our key of the element"),
    Index(None, "entity", "record", "system"),
    **CLUSTERED,
)

distribution = Table(
    "distribution",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("record", BigInteger, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("mapping", Text, primary_key=True, comment="name of the write mapping file"),
    Column("seq", BigInteger, nullable=False, comment="journal entry settled last"),
    Column("written_seq", BigInteger, comment="journal entry the target got last"),
    Column("hash", Bytes, comment="of the native record the target got last"),
    Column("version", Text, nullable=False, comment="version of the mapping used"),
    Column("status", Text, nullable=False, comment="end state, see the reference of states"),
    Column("code", Text, nullable=False, server_default=""),
    Column("message", Text, nullable=False, server_default=""),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", BigInteger, comment="when to look at it again"),
    Column("waiting_for", Text, comment="reference path and key that will wake it"),
    Column("settled", BigInteger, nullable=False),
    Column("returned", Boolean, nullable=False, server_default=false(), comment="an owner's value goes back to it"),
    Column("token", Text, comment="of the last write accepted, by which its confirmation is known"),
    Index(
        "ix_distribution_due",
        "entity",
        "target",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
    Index(
        "ix_distribution_waiting",
        "waiting_for",
        sqlite_where=text("waiting_for IS NOT NULL"),
        postgresql_where=text("waiting_for IS NOT NULL"),
    ),
    Index(
        "ix_distribution_token",
        "token",
        sqlite_where=text("token IS NOT NULL"),
        postgresql_where=text("token IS NOT NULL"),
    ),
    **CLUSTERED,
)

field_edit = Table(
    "field_edit",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("record", BigInteger, primary_key=True),
    Column("field", Text, primary_key=True, comment="path of a field owned by `newest`, elements by their key"),
    Column("system", Text, nullable=False, comment="whose edit stands"),
    Column("at", BigInteger, nullable=False, comment="when it was made there"),
    **CLUSTERED,
)

element_origin = Table(
    "element_origin",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("record", BigInteger, primary_key=True),
    Column("path", Text, primary_key=True, comment="list path"),
    Column("element", Text, primary_key=True),
    Column("system", Text, nullable=False, comment="system of birth, where it is not the record's"),
    **CLUSTERED,
)

match_value = Table(
    "match_value",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("rule", Text, primary_key=True, comment="fields of the rule"),
    Column("value", Bytes, primary_key=True, comment="hash of their values"),
    Column("record", BigInteger, primary_key=True),
    Index(None, "entity", "record"),
    **CLUSTERED,
)

candidate = Table(
    "candidate",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("system", Text, primary_key=True),
    Column("native_key", Text, primary_key=True, comment="record met for the first time that may be one we know"),
    Column("state", Text, nullable=False, comment="waiting, ambiguous, accepted or rejected"),
    Column("rule", Text, nullable=False, server_default=""),
    Column("records", Text, nullable=False, comment="JSON list of the records it may be"),
    Column("mapping", Text, nullable=False, comment="name of the read mapping"),
    Column("payload", Bytes, nullable=False),
    Column("hash", Bytes, nullable=False),
    Column("other_keys", Text, nullable=False, comment="JSON object"),
    Column("etag", Text),
    Column("changed_at", BigInteger),
    Column("read_at", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
    **CLUSTERED,
)

message = Table(
    "message",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("system", Text, nullable=False),
    Column("message_id", Text, comment="the sender's own number; a repetition is known by it"),
    Column("headers", Text, nullable=False, comment="JSON object, without credentials"),
    Column("body", Bytes, nullable=False, comment="as received"),
    Column("received", BigInteger, nullable=False),
    Column("state", Text, nullable=False, comment="new, done or failed"),
    Column("detail", Text, nullable=False, server_default=""),
    UniqueConstraint("system", "message_id"),
    Index(None, "state", "system"),
    sqlite_autoincrement=True,
)

mapping_version = Table(
    "mapping_version",
    metadata,
    Column("version", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("bundle", Text, nullable=False, comment="file texts from which this version can be compiled again"),
    Column("created", BigInteger, nullable=False),
)

mapping_in_force = Table(
    "mapping_in_force",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("system", Text, primary_key=True),
    Column("mapping", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    **CLUSTERED,
)

intent = Table(
    "intent",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("record", BigInteger, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("mapping", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("mark", Text, nullable=False, comment="what find will look for"),
    Column("run", BigInteger, nullable=False),
    Column("state", Text, nullable=False, comment="open or in_doubt"),
    Column("created", BigInteger, nullable=False),
    Column("look_after", BigInteger, nullable=False, comment="end of the quiet period"),
    **CLUSTERED,
)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("entity", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("direction", Text, nullable=False, comment="capture or distribute"),
    Column("mapping", Text, nullable=False),
    Column("native_key", Text, nullable=False, comment="key in the system read, or the hub's number"),
    Column("record", BigInteger),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("run", BigInteger, nullable=False),
    Column("state", Text, nullable=False, comment="open, redriven or resolved"),
    UniqueConstraint("entity", "system", "direction", "mapping", "native_key"),
    sqlite_autoincrement=True,
)

document_link = Table(
    "document_link",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("record", BigInteger, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("to_entity", Text, primary_key=True),
    Column("to_record", BigInteger, primary_key=True),
    Column("to_item", Text, primary_key=True),
    Column("field", Text, nullable=False, comment="the reference it came from"),
    Column("quantity", Numeric(31, 14)),
    Column("unit", Text),
    Column("amount", Numeric(31, 14)),
    Column("currency", Text),
    Index(None, "to_entity", "to_record"),
    **CLUSTERED,
)

lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("fence", BigInteger, nullable=False, comment="grows with every holder; checked by every write"),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_started", Text, nullable=False),
    Column("acquired", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    **CLUSTERED,
)

sweep_key = Table(
    "sweep_key",
    metadata,
    Column("run", BigInteger, primary_key=True),
    Column("native_key", Text, primary_key=True, comment="key a sweep has seen"),
    **CLUSTERED,
)

watched = Table(
    "watched",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("system", Text, primary_key=True),
    Column("source", Text, primary_key=True, comment="native child set"),
    Column("native_key", Text, primary_key=True, comment="key of the child"),
    Column("parent_key", Text, nullable=False),
    Column("hash", Bytes, nullable=False, comment="of the child's fields the mapping uses"),
    **CLUSTERED,
)

gate = Table(
    "gate",
    metadata,
    Column("system", Text, primary_key=True),
    Column("state", Text, nullable=False, comment="closed: requests go out; open: away; locked: its login was refused"),
    Column("failed_reads", Integer, nullable=False, comment="reads in a row without a usable answer"),
    Column("failed_writes", Integer, nullable=False),
    Column("refused", Integer, nullable=False, comment="logins refused in a row"),
    Column("since", BigInteger, comment="when it opened"),
    Column("until", BigInteger, comment="when one process may try whether the system is back"),
    Column("wait", BigInteger, nullable=False, comment="milliseconds between such tries; grows"),
    Column("not_before", BigInteger, comment="end of the wait the system asked for"),
    Column("reason", Text, nullable=False, server_default=""),
    Column("free_at", BigInteger, nullable=False, comment="microseconds since 1970: the next turn of its rate"),
    **CLUSTERED,
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", Bytes, comment="hash of the entry before"),
    Column("hash", Bytes, nullable=False),
    sqlite_autoincrement=True,
)
