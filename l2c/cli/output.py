"""How answers are printed: aligned text for people, JSON for programs, personal data masked."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import typer

EMPTY = "-"
TOTALS = ("read", "due")


def say(text: str = "") -> None:
    """A line on standard output."""
    typer.echo(text)


def note(text: str) -> None:
    """A line on standard error: advice, progress, mistakes."""
    typer.echo(text, err=True)


def say_json(value: object, *, indent: int | None = 2) -> None:
    """One JSON document: dataclasses as objects, moments as ISO text, decimals as text."""
    typer.echo(json.dumps(plain(value), ensure_ascii=False, indent=indent))


def plain(value: object) -> Any:
    """The value in JSON's own types."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(inner) for inner in value]
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, (bool, int, float, str)) or value is None:
        return value
    return str(value)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Aligned columns; numbers to the right, a bold head on a terminal, and no column in which every row is empty."""
    cells = [[_cell(value) for value in row] for row in rows]
    kept = [at for at in range(len(columns)) if not cells or any(line[at] != EMPTY for line in cells)]
    head = [columns[at].upper() for at in kept]
    cells = [[line[at] for at in kept] for line in cells]
    widths = [max(len(line[at]) for line in [head, *cells]) for at in range(len(head))]
    right = [bool(cells) and all(_is_number(line[at]) for line in cells) for at in range(len(head))]
    say(_bold(_line(head, widths, right)))
    for line in cells:
        say(_line(line, widths, right))


def number(value: int) -> str:
    """Thousands apart."""
    return f"{value:,}"


def moment(value: datetime | None) -> str:
    """To the second, in UTC."""
    return f"{value:%Y-%m-%d %H:%M:%S}" if value else EMPTY


def counts(values: Mapping[str, int]) -> str:
    """`read 1,000, journaled 998`: the total first, what is zero left out."""
    names = sorted(values, key=lambda name: name not in TOTALS)
    return ", ".join(f"{name.replace('_', ' ')} {number(values[name])}" for name in names if values[name]) or "nothing"


def masked(value: object) -> Any:
    """The shape of a value without what it says: `Huber GmbH 12` becomes `Xxxxx XxxX 99`; truth values stay."""
    if isinstance(value, Mapping):
        return {name: masked(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(inner) for inner in value]
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return masked(str(value))
    if isinstance(value, str):
        return "".join(_shape(character) for character in value)
    return value


def on_terminal() -> bool:
    """Whether a person watches standard error, where progress and questions go."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def asks() -> bool:
    """Whether a person can answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _shape(character: str) -> str:
    if character.isdigit():
        return "9"
    if character.isalpha():
        return "X" if character.isupper() else "x"
    return character


def _cell(value: object) -> str:
    if value is None or value == "":
        return EMPTY
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return number(value)
    if isinstance(value, datetime):
        return moment(value)
    return " ".join(str(value).split())


def _is_number(text: str) -> bool:
    return text == EMPTY or text.replace(",", "").lstrip("-").isdigit()


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    return "  ".join(_fit(*each) for each in zip(cells, widths, right, strict=True)).rstrip()


def _fit(text: str, width: int, right: bool) -> str:
    return text.rjust(width) if right else text.ljust(width)


def _bold(text: str) -> str:
    plain_text = "NO_COLOR" in os.environ or not sys.stdout.isatty()
    return text if plain_text else typer.style(text, bold=True)


def say_values(data: Mapping[str, Any]) -> None:
    """Every value of a record that is not empty, one line each, with its path: `addresses[0].city: Wien`."""
    for path, value in _leaves(data):
        if value not in (None, ""):
            say(f"    {path}: {str(value).lower() if isinstance(value, bool) else value}")


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, (list, tuple)):
        for at, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{at}]")
    else:
        yield path, value
