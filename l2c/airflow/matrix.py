"""What the Hub page shows, worked out from the hub's cells: a matrix entity × system, and totals above it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from l2c.state.messages import FAILED, NEW, MessageRow
from l2c.state.results import BRAKED, CAPTURE_STATES, DISTRIBUTE_STATES, Cell, RunSummary

# The counts that ask for a look, in the order shown, with the tone of their chip.
_OPEN = (
    ("dead_letters", "dead letters", "bad"),
    ("in_doubt", "in doubt", "bad"),
    ("to_decide", "to decide", "bad"),
    ("retrying", "retrying", "warn"),
    ("waiting", "waiting", "warn"),
    ("undecided", "undecided", "warn"),
    ("awaiting_confirmation", "awaiting confirmation", "info"),
    ("pending", "pending resend", "info"),
    ("behind", "behind", "info"),
    ("inbox", "in the inbox", "info"),
)
_MOMENT = "%Y-%m-%d %H:%M:%S UTC"
_STATUS = {
    "done": ("good", "Done"),
    "nothing": ("good", "Nothing new"),
    "running": ("info", "Running"),
    "failed": ("bad", "Failed"),
    "postponed": ("warn", "Postponed"),
    "braked": ("bad", "Braked"),
}


@dataclass(frozen=True, slots=True)
class Chip:
    """A number with its word; `tone` is good, warn, bad, info or idle."""

    count: int
    label: str
    tone: str


@dataclass(frozen=True, slots=True)
class Half:
    """One direction of one entity in one system, ready to be shown."""

    kind: str
    dag_id: str
    tone: str
    status: str
    when: str
    at: str
    sums: str
    sums_met: bool | None
    chips: tuple[Chip, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that was not understood, and why."""

    system: str
    number: int
    at: str
    reason: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of entities over columns of systems; each field holds the directions there are, capture first.

    `messages`: by system, what it sent that is not worked off; `refused`: the newest of those that were not understood.
    """

    systems: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[Half, ...], ...]], ...]
    totals: tuple[Chip, ...]
    messages: Mapping[str, tuple[Chip, ...]] = field(default_factory=dict)
    refused: tuple[Refused, ...] = ()


def matrix(
    cells: Sequence[Cell],
    now: datetime,
    *,
    messages: Mapping[str, Mapping[str, int]] | None = None,
    refused: Sequence[MessageRow] = (),
) -> Matrix:
    """The matrix of these cells; `messages` counts by system and state what is not worked off."""
    sent = messages or {}
    systems = tuple(sorted({cell.system for cell in cells} | set(sent)))
    entities = sorted({cell.entity for cell in cells})
    rows = tuple((entity, tuple(_field(cells, entity, system, now) for system in systems)) for entity in entities)
    told = tuple(Refused(row.system, row.id, f"{row.received:{_MOMENT}}", row.detail) for row in refused)
    chips = {system: _sent(counts) for system, counts in sent.items()}
    return Matrix(systems, rows, _totals(cells, sent), chips, told)


def _sent(counts: Mapping[str, int]) -> tuple[Chip, ...]:
    shown = (
        Chip(counts.get(FAILED, 0), "messages failed", "bad"),
        Chip(counts.get(NEW, 0), "messages to be worked off", "info"),
    )
    return tuple(Chip(one.count, _message_word(one), one.tone) for one in shown if one.count)


def _message_word(chip: Chip) -> str:
    return chip.label.replace("messages", "message", 1) if chip.count == 1 else chip.label


def _field(cells: Iterable[Cell], entity: str, system: str, now: datetime) -> tuple[Half, ...]:
    here = [cell for cell in cells if cell.entity == entity and cell.system == system]
    return tuple(_half(cell, now) for cell in sorted(here, key=lambda cell: cell.kind))


def _half(cell: Cell, now: datetime) -> Half:
    last = cell.last
    tone, status = _STATUS.get(last.status, ("idle", last.status)) if last else ("idle", "Not run yet")
    at = (last.ended or last.started) if last else None
    chips = tuple(
        Chip(count, _word(label, count), chip) for name, label, chip in _OPEN if (count := getattr(cell, name))
    )
    if tone == "good" and (cell.breaker or any(chip.tone in ("bad", "warn") for chip in chips)):
        tone = "warn"
    return Half(
        kind=cell.kind,
        dag_id=f"{cell.entity}.{cell.kind}.{cell.system}",
        tone=tone,
        status=status,
        when=ago(now - at) if at else "",
        at=f"{at:{_MOMENT}}" if at else "",
        sums=sums(last) if last else "",
        sums_met=last.sums_met if last and last.status != "running" else None,
        chips=chips,
        note=" · ".join(filter(None, (last.message if last else "", cell.breaker, cell.note))),
    )


def _word(label: str, count: int) -> str:
    return label.removesuffix("s") if count == 1 else label


def sums(run: RunSummary) -> str:
    """The run's sum in words: `1,000 read = 800 journaled + 200 filtered`; states with nothing in them left out."""
    distributes = run.kind == "distribute"
    whole, states = ("due", DISTRIBUTE_STATES) if distributes else ("read", CAPTURE_STATES)
    parts = [f"{run.counts[state]:,} {state.replace('_', ' ')}" for state in states if run.counts.get(state)]
    return f"{run.counts.get(whole, 0):,} {whole}" + (f" = {' + '.join(parts)}" if parts else "")


def _totals(cells: Sequence[Cell], sent: Mapping[str, Mapping[str, int]]) -> tuple[Chip, ...]:
    ran = [cell.last for cell in cells if cell.last is not None and cell.last.status != "running"]
    failed = sum(1 for run in ran if run.status in ("failed", BRAKED) or not run.sums_met)
    chips = [Chip(failed, "last runs failed", "bad" if failed else "good")]
    away = len({cell.system for cell in cells if cell.breaker})
    if away:
        chips.append(Chip(away, "systems kept apart" if away > 1 else "system kept apart", "bad"))
    for name, label, tone in _OPEN[:6]:
        count = sum(getattr(cell, name) for cell in cells)
        chips.append(Chip(count, label, tone if count else "good"))
    behind = sum(cell.behind for cell in cells)
    chips.append(Chip(behind, "changes under way", "info" if behind else "good"))
    if sent:
        lost = sum(counts.get(FAILED, 0) for counts in sent.values())
        chips.append(Chip(lost, "messages failed", "bad" if lost else "good"))
    return tuple(chips)


def ago(age: timedelta) -> str:
    """How long ago, roughly: `just now`, `40 s ago`, `12 min ago`, `3 h ago`, `5 days ago`."""
    seconds = int(age.total_seconds())
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit} ago"
    return f"{seconds} s ago" if seconds >= 5 else "just now"
