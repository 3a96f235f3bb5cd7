"""Records as OData v2 JSON."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from sandbox.s4hana.model import Entity
from sandbox.s4hana.paths import predicate
from sandbox.s4hana.tables import Row
from sandbox.s4hana.values import RENDERERS

Json = dict[str, Any]


def etag(entity: Entity, row: Row) -> str | None:
    """The ETag of a record, or None for a type without one."""
    if entity.etag is None:
        return None
    value = row.get(entity.etag) or ""
    if entity.properties[entity.etag].type == "DateTimeOffset":
        return f"W/\"datetimeoffset'{quote(value)}Z'\""
    return f"W/\"'{value}'\""


def renderer(
    entity: Entity, root: str, select: Sequence[str] | None = None, navigations: Sequence[str] | None = None
) -> Callable[[Row], Json]:
    """A function that turns stored records of one type into JSON.

    `select` are property names (None: all), `navigations` those shown as `__deferred` (None: all of the type).
    """
    properties = entity.properties
    names = list(properties) if select is None else list(select)
    unset = {name: properties[name].unset for name in names}
    convert = [(name, RENDERERS[properties[name].type]) for name in names if properties[name].type in RENDERERS]
    links = list(entity.navigations) if navigations is None else list(navigations)
    type_name = entity.type_name

    def render(row: Row) -> Json:
        uri = f"{root}/{predicate(entity, row)}"
        head: Json = {"id": uri, "uri": uri, "type": type_name}
        if entity.etag is not None:
            head["etag"] = etag(entity, row)
        shown: Json = {"__metadata": head, **unset}
        for name, value in row.items():
            if name in unset:
                shown[name] = value
        for name, form in convert:
            if shown[name] is not None:
                shown[name] = form(shown[name])
        for name in links:
            shown[name] = {"__deferred": {"uri": f"{uri}/{name}"}}
        return shown

    return render


def results(items: Sequence[Json], *, count: int | None = None, following: str | None = None) -> Json:
    """A collection."""
    content: Json = {}
    if count is not None:
        content["__count"] = str(count)
    content["results"] = list(items)
    if following is not None:
        content["__next"] = following
    return content


def atom(content: Mapping[str, Any], root: str) -> bytes:
    """The gateway's own form: Atom XML with the properties, without expanded children."""

    def value(item: object) -> str:
        return escape(str(item).lower() if isinstance(item, bool) else str(item))

    def entry(record: Mapping[str, Any]) -> str:
        fields = "".join(
            f'<d:{name} m:null="true"/>' if item is None else f"<d:{name}>{value(item)}</d:{name}>"
            for name, item in record.items()
            if name != "__metadata" and not isinstance(item, dict)
        )
        uri = escape(record["__metadata"]["uri"])
        return f'<entry><id>{uri}</id><content type="application/xml"><m:properties>{fields}</m:properties></content></entry>'

    names = (
        ' xmlns="http://www.w3.org/2005/Atom" xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices"'
        ' xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"'
    )
    if "results" in content:
        entries = "".join(entry(record) for record in content["results"])
        following = content.get("__next")
        link = f'<link rel="next" href="{escape(following)}"/>' if following else ""
        body = f'<feed{names} xml:base="{escape(root)}/">{entries}{link}</feed>'
    else:
        body = entry(content).replace("<entry>", f'<entry{names} xml:base="{escape(root)}/">', 1)
    return f'<?xml version="1.0" encoding="utf-8"?>{body}'.encode()
