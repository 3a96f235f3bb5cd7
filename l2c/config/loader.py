"""Strict YAML: text stays text, nothing is guessed, and every key and value remembers where it stands.

Known scalars are `true`, `false`, `null` and whole numbers without a leading zero; all else is text (`NO`, `on`, `010`,
`1.10`, `2026-01-31`). Refused with their place: duplicate keys, anchors, aliases, tags, merge keys, a second document,
more than 50 levels or 1 MiB. Levels are counted on the event stream, before anything is built, so that a hostile file
cannot exhaust the stack.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from l2c.config.problems import Mark
from l2c.errors import ConfigError

MAX_BYTES = 1 << 20
MAX_DEPTH = 50
MAX_MISTAKES = 100

_WHOLE_NUMBER = re.compile(r"(?:0|-?[1-9][0-9]{0,17})\Z")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Block(dict[str, Any]):
    """A YAML mapping that knows where it, its keys and its values stand."""

    __slots__ = ("keys_at", "mark", "values_at")

    def __init__(self, mark: Mark) -> None:
        super().__init__()
        self.mark = mark
        self.keys_at: dict[str, Mark] = {}
        self.values_at: dict[str, Mark] = {}

    def put(self, key: str, value: Any, key_at: Mark, value_at: Mark) -> None:
        """Set a key together with its places."""
        self[key] = value
        self.keys_at[key] = key_at
        self.values_at[key] = value_at


class Row(list[Any]):
    """A YAML sequence that knows where it and its elements stand."""

    __slots__ = ("mark", "values_at")

    def __init__(self, mark: Mark) -> None:
        super().__init__()
        self.mark = mark
        self.values_at: list[Mark] = []


def load_file(path: Path, *, name: str) -> Block:
    """The one YAML mapping of a file; `name` is the path shown in messages. Raises ConfigError with every place."""
    return load_text(read_file(path, name=name), name=name)


def read_file(path: Path, *, name: str, place: str = "") -> bytes:
    """The bytes of a file; a ConfigError that names it (and the `place` looked in) when they cannot be had.

    Of a file that is larger than any may be, only so much is read that this is noticed.
    """
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(f"{name}: there is no such file{place}") from None
    except OSError as error:
        raise ConfigError(f"{name}: cannot be read ({error.strerror})") from None


def load_text(raw: bytes | str, *, name: str) -> Block:
    """The one YAML mapping of a text; raises ConfigError with the place of each mistake."""
    data = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    if len(data) > MAX_BYTES:
        line = data.count(b"\n", 0, MAX_BYTES) + 1
        raise ConfigError(f"{name}:{line}:1: here the file becomes larger than {MAX_BYTES} bytes; split it")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise ConfigError(f"{name}:{line}:{column}: not UTF-8 text") from None
    return _Builder(name).build(text)


class _Builder:
    """Turns the event stream of one file into blocks, rows and scalars."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.mistakes: list[str] = []

    def build(self, text: str) -> Block:
        """The document of a text; raises ConfigError with every mistake of it."""
        try:
            events = self._events(text)
            root = self._document(events)
        except yaml.MarkedYAMLError as error:
            raise ConfigError([*self.mistakes, self._syntax(error)]) from None
        except yaml.reader.ReaderError as error:
            raise ConfigError([*self.mistakes, self._unreadable(text, error)]) from None
        if self.mistakes:
            raise ConfigError(self.mistakes)
        return root

    def _syntax(self, error: yaml.MarkedYAMLError) -> str:
        at = error.problem_mark or error.context_mark
        place = self._mark(at) if at is not None else Mark(self.name)
        return f"{place}: not YAML: {error.problem or error.context}"

    def _unreadable(self, text: str, error: yaml.reader.ReaderError) -> str:
        """A character YAML does not know; the error itself counts bytes or characters, as the parser at hand does."""
        code = error.character if isinstance(error.character, int) else ord(str(error.character))
        at = max(text.find(chr(code)), 0)
        place = Mark(self.name, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
        return f"{place}: not YAML: the character U+{code:04X} is not allowed"

    def _mark(self, mark: Any) -> Mark:
        return Mark(self.name, mark.line + 1, mark.column + 1)

    def _value_mark(self, event: yaml.Event) -> Mark:
        """Where a value's own text starts, behind the quote if it has one."""
        start: Any = event.start_mark
        end: Any = event.end_mark
        quoted = isinstance(event, yaml.ScalarEvent) and event.style in ("'", '"')
        return Mark(self.name, start.line + 1, start.column + 1 + quoted, end.line > start.line)

    def _say(self, event: yaml.Event, what: str) -> None:
        if len(self.mistakes) >= MAX_MISTAKES:
            at = self._mark(event.start_mark)
            raise ConfigError([*self.mistakes, f"{at}: more than {MAX_MISTAKES} mistakes; the rest is not told"])
        self.mistakes.append(f"{self._mark(event.start_mark)}: {what}")

    def _events(self, text: str) -> Iterator[yaml.Event]:
        """The events, with depth, anchors and tags checked as they come."""
        depth = 0
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > MAX_DEPTH:
                    raise ConfigError(f"{self._mark(event.start_mark)}: nested more than {MAX_DEPTH} levels deep")
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if isinstance(event, yaml.AliasEvent):
                self._say(event, f"alias '*{event.anchor}' is not allowed: write the value out")
            elif isinstance(event, yaml.NodeEvent) and event.anchor is not None:
                self._say(event, f"anchor '&{event.anchor}' is not allowed: write the value out")
            if getattr(event, "tag", None) is not None:
                self._say(event, f"tag '{event.tag}' is not allowed")  # type: ignore[attr-defined]
            yield event

    def _document(self, events: Iterator[yaml.Event]) -> Block:
        root: Any = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise ConfigError(
                        [*self.mistakes, f"{self._mark(event.start_mark)}: a second document; one a file"]
                    )
            elif isinstance(event, yaml.NodeEvent):
                root = self._node(event, events)
                if not isinstance(root, Block):
                    self._say(event, "expected keys and values at the top of the file")
        if documents == 0:
            raise ConfigError(f"{Mark(self.name, 1, 1)}: the file is empty")
        return root if isinstance(root, Block) else Block(Mark(self.name))

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event]) -> Any:
        if isinstance(event, yaml.MappingStartEvent):
            return self._block(event, events)
        if isinstance(event, yaml.SequenceStartEvent):
            row = Row(self._mark(event.start_mark))
            for inner in events:
                if isinstance(inner, yaml.SequenceEndEvent):
                    break
                row.values_at.append(self._value_mark(inner))
                row.append(self._node(inner, events))
            return row
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event.value, plain=event.style is None or event.style == "")
        return None  # an alias, already told

    def _block(self, event: yaml.MappingStartEvent, events: Iterator[yaml.Event]) -> Block:
        block = Block(self._mark(event.start_mark))
        for key_event in events:
            if isinstance(key_event, yaml.MappingEndEvent):
                break
            key = self._key(key_event, events)
            value_event = next(events)
            value = self._node(value_event, events)
            if key is None:
                continue
            if key in block:
                self._say(key_event, f"key '{key}' stands twice (first in line {block.keys_at[key].line})")
                continue
            block.put(key, value, self._mark(key_event.start_mark), self._value_mark(value_event))
        return block

    def _key(self, event: yaml.Event, events: Iterator[yaml.Event]) -> str | None:
        if not isinstance(event, yaml.ScalarEvent):
            self._say(event, "a key must be plain text")
            self._node(event, events)
            return None
        plain = event.style is None or event.style == ""
        if plain and event.value == "<<":
            self._say(event, "merge key '<<' is not allowed: write the values out")
            return None
        return str(event.value)


def _scalar(value: str, *, plain: bool) -> str | int | bool | None:
    if not plain:
        return value
    if value in ("null", ""):
        return None
    if value in ("true", "false"):
        return value == "true"
    return int(value) if _WHOLE_NUMBER.match(value) else value
