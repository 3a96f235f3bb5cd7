"""OData v2 addresses: literals, keys, query options; and which `$select` and `$expand` a set of field paths needs."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from urllib.parse import quote

from l2c.http.values import duration

# what RFC 3986 allows unescaped in a path segment and in a query, less what OData and servers give a meaning
_PATH_SAFE = "-._~!$'()*,;:@="
_QUERY_SAFE = "-._~!$'()*,:@/"


def literal(value: object, edm_type: str = "Edm.String") -> str:
    """A value as it stands in a key or filter, before URL encoding.

    Dates and times are ISO text or datetime, decimals text or Decimal; None is `null`.
    """
    if value is None:
        return "null"
    if edm_type == "Edm.String":
        return "'" + str(value).replace("'", "''") + "'"
    if edm_type == "Edm.Boolean":
        return "true" if value in (True, "true") else "false"
    if edm_type in {"Edm.DateTime", "Edm.DateTimeOffset"}:
        return f"{edm_type[4:].lower()}'{_moment_text(value)}'"
    if edm_type == "Edm.Time":
        text = str(value)
        return f"time'{text if text.startswith('PT') else duration(text)}'"
    if edm_type == "Edm.Guid":
        return f"guid'{value}'"
    return _number(value, edm_type)


def _moment_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    text = value.isoformat() if isinstance(value, date) else str(value)
    return text if "T" in text else f"{text}T00:00:00"


_SUFFIX = {"Edm.Int64": "L", "Edm.Decimal": "M", "Edm.Double": "d", "Edm.Single": "f", "Edm.Float": "d"}


def _number(value: object, edm_type: str) -> str:
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    if not all(sign in "+-0123456789.eE" for sign in text) or not text:
        raise ValueError(f"'{text}' is no {edm_type}")
    return text + _SUFFIX.get(edm_type, "")


def key_text(values: Mapping[str, object], types: Mapping[str, str] | None = None) -> str:
    """The key predicate of an entity, before URL encoding: `('4711')` or `(BusinessPartner='4711',AddressID='12')`."""
    types = types or {}
    literals = {name: literal(value, types.get(name, "Edm.String")) for name, value in values.items()}
    if len(literals) == 1:
        return f"({next(iter(literals.values()))})"
    return "(" + ",".join(f"{name}={text}" for name, text in literals.items()) + ")"


def encode_path(text: str) -> str:
    """A path segment, percent-encoded: also `/`, `|`, `%`, blanks and everything outside ASCII."""
    return quote(text, safe=_PATH_SAFE)


def encode_query(text: str) -> str:
    """A query value, percent-encoded: also `&`, `+`, `=`, `#`, `%` and everything outside ASCII."""
    return quote(text, safe=_QUERY_SAFE)


def entity_path(entity_set: str, values: Mapping[str, object], types: Mapping[str, str] | None = None) -> str:
    """The encoded path of one entity: `A_BusinessPartner('A%2FB')`."""
    return entity_set + encode_path(key_text(values, types))


def query_path(path: str, options: Mapping[str, object]) -> str:
    """A path with its system query options, in the order given; options that are None or empty are left out.

    Lists are joined with commas (`$select`, `$expand`, `$orderby`).
    """
    parts: list[str] = []
    for name, value in options.items():
        text = ",".join(value) if isinstance(value, list | tuple) else value
        if text is None or text == "":
            continue
        parts.append(f"{name}={encode_query(str(text))}")
    return f"{path}?{'&'.join(parts)}" if parts else path


def any_of(conditions: Sequence[str]) -> str:
    """`(a) or (b)`; a single condition stays as it is."""
    return conditions[0] if len(conditions) == 1 else " or ".join(f"({condition})" for condition in conditions)


def all_of(conditions: Sequence[str]) -> str:
    """`(a) and (b)`; a single condition stays as it is."""
    return conditions[0] if len(conditions) == 1 else " and ".join(f"({condition})" for condition in conditions)


def after(order: Sequence[tuple[str, str]]) -> str:
    """The keyset condition 'strictly behind these values': pairs of field and encoded literal, in sort order.

    Works for any number of fields, so that more records with one stamp than a page holds still advance.
    """
    (field, value), *rest = order
    if not rest:
        return f"{field} gt {value}"
    return f"{field} gt {value} or ({field} eq {value} and ({after(rest)}))"


def select_expand(
    paths: Iterable[str], *, always: Collection[str] = (), navigations: Collection[str] = ()
) -> tuple[list[str], list[str]]:
    """`$select` and `$expand` for dotted field paths (`to_Address.to_Email.EmailAddress`).

    All segments but the last are navigations. A path that begins another one adds nothing to it; one that stands alone and
    is listed in `navigations` is expanded whole. `always` adds paths. Without paths both are empty: everything flat.
    """
    wanted = list(dict.fromkeys(paths))
    if not wanted:
        return [], []
    wanted = list(dict.fromkeys([*always, *wanted]))
    begun = {path[:end] for path in wanted for end, sign in enumerate(path) if sign == "."}
    select = [path for path in wanted if path not in begun]
    expand = dict.fromkeys([*(path.rpartition(".")[0] for path in select), *(p for p in select if p in navigations)])
    # an expanded path brings its parents along; naming those again is refused by some servers
    deepest = [path for path in expand if path and not any(other.startswith(f"{path}.") for other in expand)]
    return [path.replace(".", "/") for path in select], [path.replace(".", "/") for path in deepest]


def chunks(
    keys: Sequence[str], condition: Mapping[str, str], *, longest: int = 4000, most: int = 100
) -> list[list[str]]:
    """Keys cut into lists whose encoded conditions, joined by ` or `, stay under `longest` characters each.

    `condition` gives each key's filter text.
    """
    found: list[list[str]] = []
    size = longest + 1
    for key in keys:
        length = len(encode_query(f"({condition[key]}) or "))
        if size + length > longest or len(found[-1]) >= most:
            found.append([])
            size = 0
        found[-1].append(key)
        size += length
    return found
