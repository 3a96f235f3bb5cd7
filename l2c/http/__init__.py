"""The kit connectors are built from: one HTTP session, OData v2 addresses and answers, paging, `$batch`, SAP's refusals.

A read: `walk(session, ServerPaging(session, path))` gives pages split into raw records; `records(page.records, shape, keys)`
decodes them one at a time. A write: `session.request("POST", …)`, or `write_batch` and `read_batch` around one; what the
system refused becomes an outcome by `refusal`, an AnswerLost becomes `unknown`. SOAP: `SoapClient`.
"""

from l2c.http.answers import Answer, json_bytes, retry_after, server_time, source_time
from l2c.http.auth import Auth, BasicAuth, ClientCredentials, NoAuth, Token
from l2c.http.batch import Part, read_batch, write_batch
from l2c.http.csrf import Csrf, CsrfPair
from l2c.http.faults import AnswerLost
from l2c.http.metadata import EntityType, Metadata, Navigation, field_paths, parse_metadata
from l2c.http.oauth import auth_of, client_credentials
from l2c.http.odata import (
    after,
    all_of,
    any_of,
    chunks,
    encode_path,
    encode_query,
    entity_path,
    key_text,
    literal,
    query_path,
    select_expand,
)
from l2c.http.pages import (
    RawPage,
    Shape,
    decode,
    etag_of,
    join_key,
    records,
    shape_of,
    single,
    split_key,
    split_page,
    unwrap,
)
from l2c.http.paging import KeysetPaging, Paging, ServerPaging, next_address, walk
from l2c.http.refusals import is_lock, refusal, sap_error
from l2c.http.retries import Retries
from l2c.http.session import HttpSession, Limits
from l2c.http.soap import Envelope, SoapClient
from l2c.http.soap_faults import MessageRefused
from l2c.http.values import duration, iso_day, iso_local, iso_time, iso_utc, ticks, ticks_offset, to_json
from l2c.http.xml import parse_xml

__all__ = [
    "Answer",
    "AnswerLost",
    "Auth",
    "BasicAuth",
    "ClientCredentials",
    "Csrf",
    "CsrfPair",
    "EntityType",
    "Envelope",
    "HttpSession",
    "KeysetPaging",
    "Limits",
    "MessageRefused",
    "Metadata",
    "Navigation",
    "NoAuth",
    "Paging",
    "Part",
    "RawPage",
    "Retries",
    "ServerPaging",
    "Shape",
    "SoapClient",
    "Token",
    "after",
    "all_of",
    "any_of",
    "auth_of",
    "chunks",
    "client_credentials",
    "decode",
    "duration",
    "encode_path",
    "encode_query",
    "entity_path",
    "etag_of",
    "field_paths",
    "is_lock",
    "iso_day",
    "iso_local",
    "iso_time",
    "iso_utc",
    "join_key",
    "json_bytes",
    "key_text",
    "literal",
    "next_address",
    "parse_metadata",
    "parse_xml",
    "query_path",
    "read_batch",
    "records",
    "refusal",
    "retry_after",
    "sap_error",
    "select_expand",
    "server_time",
    "shape_of",
    "single",
    "source_time",
    "split_key",
    "split_page",
    "ticks",
    "ticks_offset",
    "to_json",
    "unwrap",
    "walk",
    "write_batch",
]
