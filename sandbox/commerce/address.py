"""What a URL below `/odata2webservices` addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from sandbox.commerce.errors import Refused, misformed
from sandbox.commerce.model import OBJECTS, IntegrationObject, Item

PREFIX = "/odata2webservices/"
SEGMENT = re.compile(r"(?P<set>[A-Za-z_]\w*)(?:\((?P<key>'(?:[^']|'')*')\))?")


@dataclass(frozen=True, slots=True)
class Address:
    """An integration object and, unless `resource` says `$metadata` or `$batch`, an entity set with key and what follows."""

    obj: IntegrationObject
    resource: str = ""
    item: Item | None = None
    key: str | None = None
    rest: str = ""


def read(path: str) -> Address:
    """The address of a raw path; raises Refused where it leads nowhere."""
    # split before decoding: a slash or quote inside a key arrives encoded
    steps = [unquote(step) for step in path[len(PREFIX) :].strip("/").split("/")]
    obj = OBJECTS.get(steps[0])
    if obj is None:
        raise Refused("not_found", f"There is no integration object '{steps[0]}'.", status=404)
    if len(steps) == 1 or steps[1] in ("$metadata", "$batch"):
        return Address(obj, "/".join(steps[1:]) or "service")
    match = SEGMENT.fullmatch(steps[1])
    item = obj.by_set(match["set"]) if match else None
    if match is None or item is None:
        raise Refused("not_found", f"Could not find an entity set or function import for '{steps[1]}'.", status=404)
    if len(steps) > 3:
        raise misformed("Only one navigation step is supported in a path.")
    key = match["key"]
    return Address(
        obj, "", item, None if key is None else key[1:-1].replace("''", "'"), steps[2] if len(steps) == 3 else ""
    )


def inner_path(target: str, code: str) -> str:
    """The raw path of an operation inside a `$batch`, which may be relative to the service, absolute or a full URL."""
    if re.match(r"[a-z]+://", target):
        return "/" + target.split("://", 1)[1].partition("/")[2]
    if target.startswith("/"):
        return target
    return f"{PREFIX}{code}/{target}"
