"""Where a mistake stands and how it is told: `file:line:column: what; did you mean 'x'?`."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file; line and column count from 1, 0 where unknown. `folded`: a text over several lines."""

    file: str
    line: int = 0
    column: int = 0
    folded: bool = False

    def __str__(self) -> str:
        """`file:line:column`, or the file alone where the line is unknown."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    @property
    def short(self) -> str:
        """`file:line`, for messages about records."""
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found wrong by a check; `text` is a sentence without the place."""

    file: str
    line: int
    column: int
    severity: Severity
    text: str

    def __str__(self) -> str:
        """The finding in one line, as the command prints it."""
        return f"{Mark(self.file, self.line, self.column)}: {self.text}"


def finding(mark: Mark, text: str, severity: Severity = "error") -> Finding:
    """A finding at a place."""
    return Finding(mark.file, mark.line, mark.column, severity, text)


def near_miss(name: str, known: Iterable[str], *, most: int = 12) -> str:
    """What to say after an unknown name: `; did you mean 'x'?`, else the names there are (the first `most`)."""
    names = sorted(set(known))
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if not close:
        folded = {n.casefold(): n for n in names}
        close = [folded[name.casefold()]] if name.casefold() in folded else []
    if close:
        return f"; did you mean '{close[0]}'?"
    if not names:
        return ""
    shown = ", ".join(f"'{n}'" for n in names[:most])
    return f" (known: {shown}{', …' if len(names) > most else ''})"


def findings_of(mistakes: Iterable[str]) -> list[Finding]:
    """The lines of a ConfigError as findings."""
    return [_parse(line) for line in mistakes]


def in_order(mistakes: Iterable[str]) -> list[str]:
    """Mistakes as they stand in their files, each once."""
    found = {line: _parse(line) for line in mistakes}
    return sorted(found, key=lambda line: (found[line].file, found[line].line, found[line].column))


def _parse(line: str) -> Finding:
    place, _, text = line.partition(": ")
    parts = place.rsplit(":", 2)
    if len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit():
        return Finding(parts[0], int(parts[1]), int(parts[2]), "error", text)
    return Finding(place, 0, 0, "error", text) if text else Finding("", 0, 0, "error", line)
