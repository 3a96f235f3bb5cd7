"""Files of keys: CSV whose head names systems, each line the native keys of one record."""

import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from l2c.config import near_miss
from l2c.errors import ConfigError

MOST_MISTAKES = 100


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a file of keys: the native key by system."""

    line: int
    keys: Mapping[str, str]


def read_rows(path: Path, known: Sequence[str], disabled: Collection[str]) -> list[Row]:
    """The lines of a file whose head names `known` systems; raises ConfigError with every mistake of form."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(f"{path}: cannot be read ({reason})") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    mistakes: list[tuple[int, str]] = []
    try:
        head = [name.strip() for name in next(reader, [])]
        mistakes += [(1, text) for text in _of_head(head, known, disabled)]
        complain(path, mistakes)
        for cells in reader:
            values = [cell.strip() for cell in cells]
            if any(values) and len(values) != len(head):
                mistakes.append((reader.line_num, f"{len(values)} values, but the head names {len(head)} systems"))
            elif any(values):
                rows.append(Row(reader.line_num, dict(zip(head, values, strict=True))))
    except csv.Error as error:
        mistakes.append((reader.line_num, str(error)))
    complain(path, mistakes)
    return rows


def complain(path: Path, mistakes: Sequence[tuple[int, str]]) -> None:
    """Raise ConfigError with the mistakes of these lines, `file:line` in front; nothing where there are none."""
    if not mistakes:
        return
    said = [f"{path}:{line}: {text}" for line, text in sorted(mistakes)]
    if len(said) > MOST_MISTAKES:
        said[MOST_MISTAKES:] = [f"{path}: and {len(said) - MOST_MISTAKES} more"]
    raise ConfigError(said)


def repeated(row: Row, first: dict[tuple[str, str], int]) -> Iterator[str]:
    """What of a row stands in an earlier line; `first` remembers where each key stood."""
    for system, key in row.keys.items():
        if key and first.setdefault((system, key), row.line) != row.line:
            yield f"'{key}' of '{system}' stands in line {first[system, key]} already"


def _of_head(head: Sequence[str], known: Sequence[str], disabled: Collection[str]) -> Iterator[str]:
    if len(head) < 2:
        yield f"the first line names the systems, two at least; known: {', '.join(known)}"
    for name in dict.fromkeys(head):
        if name not in known:
            off = " (it is switched off)" if name in disabled else ""
            yield f"unknown system '{name}'{off}{near_miss(name, known)}; known: {', '.join(known)}"
        if head.count(name) > 1:
            yield f"system '{name}' is named twice"
