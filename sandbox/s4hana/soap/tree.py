"""The replication messages as trees of plain dictionaries, read from XML and written to it as `messages.txt` says.

A node is a dictionary: an element under its name (text, a node, or a list of them where it may occur more than once), an
attribute under `@` and its name, that of a text under the element's name, `@` and its own. What a message holds that the
table does not name is left out and reported.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

GLOBAL = "http://sap.com/xi/SAPGlobal20/Global"
"""The namespace of the root elements; everything below is unqualified."""
PATTERNS = {
    "uuid": r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "date": r"\d{4}-\d{2}-\d{2}",
    "moment": r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,7})?Z",
    "flag": "true|false|0|1",
    "action": "0[1-6]",
    "ordinal": r"\d{1,20}",
}

Tree = dict[str, Any]


class WrongMessage(Exception):
    """A message that cannot be read; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Part:
    """One element (or attribute, with `@` in front): its form, or the parts below it."""

    name: str
    occurs: str = "?"
    form: str = ""
    length: int = 0
    block: str = ""
    parts: tuple["Part", ...] = ()

    @property
    def many(self) -> bool:
        """Whether it may occur more than once."""
        return self.occurs in "*+"

    @property
    def required(self) -> bool:
        """Whether it must occur."""
        return self.occurs in "1+"


@dataclass(frozen=True, slots=True)
class Messages:
    """Blocks and root elements of the table."""

    blocks: Mapping[str, Part]
    roots: Mapping[str, Part]


@dataclass(slots=True)
class Reading:
    """A message read from XML, with the paths of what was left out."""

    root: Part
    tree: Tree
    ignored: list[str]


@cache
def messages() -> Messages:
    """The table, read once."""
    text = (Path(__file__).parent / "messages.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    blocks: dict[str, Part] = {}
    roots: dict[str, Part] = {}
    at = 0
    while at < len(lines):
        kind, name = lines[at].split()
        parts, at = _parts(lines, at + 1, 1, blocks)
        (blocks if kind == "block" else roots)[name] = Part(name, "1", parts=parts)
    return Messages(blocks, roots)


def _parts(lines: list[str], at: int, level: int, blocks: Mapping[str, Part]) -> tuple[tuple[Part, ...], int]:
    found: list[Part] = []
    while at < len(lines) and (len(lines[at]) - len(lines[at].lstrip())) // 2 == level:
        words = lines[at].split()
        below, at = _parts(lines, at + 1, level + 1, blocks)
        found.append(_part(words, below, blocks))
    return tuple(found), at


def _part(words: list[str], below: tuple[Part, ...], blocks: Mapping[str, Part]) -> Part:
    if words[0].startswith("@"):
        length = next((int(word) for word in words[2:] if word.isdigit()), 0)
        return Part(words[0], "1" if "must" in words else "?", words[1], length)
    name, occurs, *rest = words
    if not rest:
        return Part(name, occurs, parts=below)
    if rest[0].startswith(":"):
        return Part(name, occurs, block=rest[0][1:], parts=blocks[rest[0][1:]].parts)
    return Part(name, occurs, rest[0], int(rest[1]) if len(rest) > 1 else 0, parts=below)


def read(element: ET.Element) -> Reading:
    """A root element as a tree; WrongMessage for one that is unknown, incomplete or holds a value of another form."""
    namespace, _, name = element.tag.rpartition("}")
    root = messages().roots.get(name)
    if root is None or namespace != "{" + GLOBAL:
        raise WrongMessage(f"no operation takes the element '{name}'")
    ignored: list[str] = []
    return Reading(root, _read(root, element, name, ignored), ignored)


def _read(part: Part, element: ET.Element, path: str, ignored: list[str]) -> Tree:
    tree = _attributes(part, element, path, ignored)
    known = {below.name: below for below in part.parts}
    for child in element:
        below, where = known.get(child.tag), f"{path}/{child.tag}"
        if below is None:
            ignored.append(where)
            continue
        if below.name in tree and not below.many:
            raise WrongMessage(f"{where} occurs more than once")
        if below.form:
            found = _attributes(below, child, where, ignored)
            tree |= {f"{below.name}{name}": value for name, value in found.items()}
        value = _text(below, child, where) if below.form else _read(below, child, where, ignored)
        if below.many:
            tree.setdefault(below.name, []).append(value)
        else:
            tree[below.name] = value
    for below in part.parts:
        if below.required and below.name not in tree:
            raise WrongMessage(f"{path}/{below.name} is missing")
    return tree


def _attributes(part: Part, element: ET.Element, path: str, ignored: list[str]) -> Tree:
    found: Tree = {}
    known = {below.name: below for below in part.parts if below.name.startswith("@")}
    for name, value in element.attrib.items():
        if f"@{name}" in known:
            found[f"@{name}"] = _checked(known[f"@{name}"], value.strip(), f"{path}/@{name}")
        else:
            ignored.append(f"{path}/@{name}")
    for name, below in known.items():
        if below.required and name not in found:
            raise WrongMessage(f"{path}/{name} is missing")
    return found


def _text(part: Part, element: ET.Element, path: str) -> str:
    text = element.text or ""
    return _checked(part, text if part.form == "text" else " ".join(text.split()), path)


def _checked(part: Part, text: str, path: str) -> str:
    """The value when it has its form; an empty one stands for a field that is cleared."""
    if part.length and len(text) > part.length:
        raise WrongMessage(f"{path} is longer than {part.length} characters")
    if text and part.form in PATTERNS and not re.fullmatch(PATTERNS[part.form], text):
        raise WrongMessage(f"{path} has not the form of '{part.form}'")
    return text


def write(name: str, tree: Tree) -> str:
    """A tree as XML, in the order of the table; names that are not in it are a mistake of the caller (KeyError)."""
    root = messages().roots[name]
    inner = "".join(_children(root, tree))
    return f'<n0:{name} xmlns:n0="{GLOBAL}">{inner}</n0:{name}>'


def _children(part: Part, tree: Tree) -> Iterator[str]:
    known = {below.name for below in part.parts}
    unknown = {name for name in tree if (name if name.startswith("@") else name.partition("@")[0]) not in known}
    if unknown:
        raise KeyError(f"{part.name} has no {', '.join(sorted(unknown))}")
    for below in part.parts:
        value = tree.get(below.name)
        if value is None or below.name.startswith("@"):
            continue
        for item in value if isinstance(value, list) else [value]:
            if below.form:
                yield _tagged(below, tree, below.name, escape(str(item)))
            else:
                yield _tagged(below, item, "", "".join(_children(below, item)))


def _tagged(part: Part, tree: Tree, prefix: str, inner: str) -> str:
    attributes = "".join(
        f" {below.name[1:]}={quoteattr(str(tree[prefix + below.name]))}"
        for below in part.parts
        if below.name.startswith("@") and tree.get(prefix + below.name) is not None
    )
    return f"<{part.name}{attributes}>{inner}</{part.name}>"
