"""An OData v2 answer split into raw records, and one record decoded at a time.

A page is never held as one object tree: the split keeps views into the answer's bytes, and a record becomes Python values
only when its turn comes. A page is complete (strict end of JSON) before its first record is given out.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote, unquote

import msgspec

from l2c.contract import Record
from l2c.errors import HubError, ProtocolError, TransientError
from l2c.http.answers import Answer, json_bytes
from l2c.http.metadata import EntityType, Metadata
from l2c.http.refusals import sap_error
from l2c.http.values import iso_day, iso_local, iso_time, iso_utc


class _Results(msgspec.Struct):
    results: list[msgspec.Raw] | None = None
    next: str | None = msgspec.field(name="__next", default=None)
    count: str | int | None = msgspec.field(name="__count", default=None)


_NOTHING = msgspec.Raw(b"")


class _Body(msgspec.Struct):
    d: _Results | list[msgspec.Raw] | None = None
    error: msgspec.Raw = _NOTHING
    value: msgspec.Raw = _NOTHING


class _One(msgspec.Struct):
    d: msgspec.Raw = _NOTHING
    error: msgspec.Raw = _NOTHING
    value: msgspec.Raw = _NOTHING


_page = msgspec.json.Decoder(_Body)
_one = msgspec.json.Decoder(_One)
_MOST_DIGITS = 100  # of a number's exponent or length: what is longer is no quantity, and slow to work with


def _number(text: str) -> Decimal:
    value = Decimal(text)
    if abs(value.adjusted()) > _MOST_DIGITS:
        raise ValueError("a number of more than 100 digits")
    return value


_record = msgspec.json.Decoder(float_hook=_number)
_again = msgspec.json.Encoder(decimal_format="number")
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True, slots=True)
class RawPage:
    """The records of one answer as bytes, the server's link to more, and its own count when asked (`$inlinecount`)."""

    records: Sequence[msgspec.Raw]
    next: str | None
    count: int | None


def split_page(answer: Answer) -> RawPage:
    """Split a list answer; ProtocolError when it is not one, TransientError when it ends too early."""
    text = json_bytes(answer)
    try:
        body = _page.decode(text)
    except _UNREADABLE as error:
        raise _broken(answer, error) from None
    found = body.d
    raws = found if isinstance(found, list) else (found.results if found is not None else None)
    _refuse_second_list(text, raws or (), answer)
    if isinstance(found, list):
        return RawPage(found, None, None)
    if found is None or found.results is None:
        raise _not_v2(answer, bool(bytes(body.error)), bool(bytes(body.value)))
    count = str(found.count) if found.count is not None else ""
    return RawPage(found.results, found.next or None, int(count) if count.isascii() and count.isdigit() else None)


def single(answer: Answer) -> msgspec.Raw:
    """The one entity of an answer, as bytes (`{"d": {…}}`)."""
    try:
        body = _one.decode(json_bytes(answer))
    except _UNREADABLE as error:
        raise _broken(answer, error) from None
    if not bytes(body.d).startswith(b"{"):
        raise _not_v2(answer, bool(bytes(body.error)), bool(bytes(body.value)))
    return body.d


def _refuse_duplicates(text: bytes | msgspec.Raw, where: str, system: str = "") -> None:
    """ProtocolError when an object in this JSON names a field twice: one of the two values would be lost."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise ProtocolError(f"{where}: '{twice}' stands twice in one object", system=system, code="duplicate_key")
        return found

    json.loads(bytes(text), object_pairs_hook=once)


def _refuse_second_list(text: bytes, raws: Sequence[msgspec.Raw], answer: Answer) -> None:
    """ProtocolError when something stands twice around the records of a page; they themselves are checked one by one."""
    around = text
    if raws:
        first, last = bytes(raws[0]), bytes(raws[-1])
        around = text[: text.rfind(first)] + text[text.rfind(last) + len(last) :]
    try:
        _refuse_duplicates(around, answer.where, answer.system)
    except ValueError:  # the first record came twice: the cut was not clean
        _refuse_duplicates(text, answer.where, answer.system)


def _broken(answer: Answer, error: Exception) -> HubError:
    if str(error) == "Input data was truncated":
        return TransientError(f"{answer.where}: the answer ends before its JSON does", system=answer.system, code="cut")
    if not isinstance(error, msgspec.DecodeError):
        what = "nested too deep" if isinstance(error, RecursionError) else "not UTF-8"
        return ProtocolError(f"{answer.where}: the JSON is {what}", system=answer.system)
    # what msgspec says of a well-formed body of another shape names types and paths, never values
    return ProtocolError(f"{answer.where}: not the JSON expected: {error}", system=answer.system)


def _not_v2(answer: Answer, is_error: bool, is_v4: bool) -> ProtocolError:
    if is_error:
        code, text = sap_error(answer.body)
        return ProtocolError(
            f"{answer.where}: an error in a good answer: {code} {text}", system=answer.system, code=code
        )
    if is_v4:
        return ProtocolError(f"{answer.where}: the service speaks OData v4, expected v2", system=answer.system)
    return ProtocolError(f"{answer.where}: the answer is not the OData v2 form expected", system=answer.system)


@dataclass(frozen=True, slots=True)
class Shape:
    """What to do with the fields of a record: conversions by field, and the shapes of nested records."""

    conversions: tuple[tuple[str, Callable[[str], str]], ...] = ()
    navigations: tuple[tuple[str, "Shape"], ...] = ()


_CONVERSIONS: Mapping[str, Callable[[str], str]] = {
    "Edm.DateTime": iso_local,
    "Edm.DateTimeOffset": iso_utc,
    "Edm.Time": iso_time,
}


def shape_of(metadata: Metadata, entity: EntityType, *, paths: Collection[str] | None = None, depth: int = 3) -> Shape:
    """The shape of an entity's records; with `paths` only of what those select (and all of a whole navigation)."""
    own = {path.partition(".")[0] for path in paths} if paths else None
    conversions = tuple(
        (name, iso_day if name in entity.days else _CONVERSIONS[schema.type])
        for name, schema in entity.fields.items()
        if schema.type in _CONVERSIONS and (own is None or name in own)
    )
    nested: list[tuple[str, Shape]] = []
    for name in entity.navigations:
        if depth == 0 or (own is not None and name not in own):
            continue
        target = metadata.target(entity, name)
        below = [path.partition(".")[2] for path in paths if path.startswith(f"{name}.")] if paths else None
        if target is not None:
            nested.append((name, shape_of(metadata, target, paths=below, depth=depth - 1)))
    return Shape(conversions, tuple(nested))


def decode(raw: msgspec.Raw | bytes) -> dict[str, Any]:
    """One record as it stands in the answer; numbers with a fraction as Decimal.

    ProtocolError for what is no JSON in UTF-8, for endless numbers, and for an object that names a field twice.
    """
    try:
        found: dict[str, Any] = _record.decode(raw)
    except _UNREADABLE as error:
        what = str(error) if isinstance(error, msgspec.DecodeError) else type(error).__name__
        raise ProtocolError(f"a record of the answer cannot be read: {what}") from None
    text = bytes(raw)
    if b"\\/" in text:
        text = text.replace(b"\\/", b"/")
    if _again.encode(found) != text:  # a field named twice, or only white space or an escape more than needed
        _refuse_duplicates(raw, "a record of the answer")
    return found


def unwrap(data: dict[str, Any], shape: Shape) -> dict[str, Any]:
    """The record without OData's wrappers, dates as ISO text; changes and returns `data`.

    A nested list that the server cut (its own `__next`) is a ProtocolError: half a list must not pass for a whole one.
    """
    data.pop("__metadata", None)
    for name, convert in shape.conversions:
        value = data.get(name)
        if value:
            data[name] = convert(value)
    for name, below in shape.navigations:
        value = data.get(name)
        if value is None:
            continue
        if isinstance(value, dict):
            if "results" in value:
                if "__next" in value:
                    raise ProtocolError(f"the system cut the nested list '{name}'; ask for fewer records or fields")
                value = data[name] = value["results"]
            elif "__deferred" in value:
                del data[name]
                continue
            else:
                unwrap(value, below)
                continue
        if below.conversions or below.navigations:
            for element in value:
                unwrap(element, below)
        else:
            for element in value:
                element.pop("__metadata", None)
    return data


def etag_of(data: Mapping[str, Any]) -> str | None:
    """The ETag a record carries in its `__metadata`, before `unwrap`."""
    about = data.get("__metadata")
    return about.get("etag") if isinstance(about, dict) else None


def join_key(values: Sequence[str]) -> str:
    """The key of a record as one text: its value, or the values of a composite key joined with `/`."""
    return values[0] if len(values) == 1 else "/".join(quote(value, safe=" !$&'()*+,;=:@|") for value in values)


def split_key(text: str, parts: int) -> list[str]:
    """The values `join_key` joined; ValueError when their number is another."""
    if parts == 1:
        return [text]
    values = [unquote(part) for part in text.split("/")]
    if len(values) != parts:
        raise ValueError(f"the key '{text}' has {len(values)} parts, expected {parts}")
    return values


def records(
    raws: Iterable[msgspec.Raw],
    shape: Shape,
    keys: Sequence[str],
    *,
    finish: Callable[[dict[str, Any], str | None, str], Record] | None = None,
) -> Iterator[Record]:
    """Records one at a time; `finish(data, etag, key)` may build each, by default without a change stamp."""
    for raw in raws:
        data = decode(raw)
        etag = etag_of(data)
        unwrap(data, shape)
        key = data[keys[0]] if len(keys) == 1 else join_key([str(data[name]) for name in keys])
        yield finish(data, etag, key) if finish else Record(key, data, etag=etag)
