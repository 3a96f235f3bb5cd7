"""Flows: how one canonical entity travels (`config/flows/<entity>.yaml`)."""

from datetime import timedelta
from typing import Any, Literal

from pydantic import Field, PrivateAttr, field_validator, model_validator

from l2c.config.model import Model, shown
from l2c.config.schedules import Duration, Schedule, TimeZone

EACH, NEWEST, ANY_FIELD = "each", "newest", "*"


class CaptureConfig(Model):
    """How a flow reads one system."""

    schedule: Schedule = Field(description="When changes are read.")
    sweep: Schedule | None = Field(default=None, description="When everything is read and compared.")
    watch: dict[str, Schedule] = Field(
        default_factory=dict, description="Flat native child sets that are compared by hash, each with its schedule."
    )
    page_size: int = Field(default=200, ge=1, le=10_000, description="Records a request.")
    max_record: int = Field(
        default=1_000_000, ge=1_000, description="Bytes a canonical record may have; a larger one is a dead letter."
    )
    timezone: TimeZone | None = Field(
        default=None, description="Time zone of this system's schedules, if not the flow's."
    )


class DistributeConfig(Model):
    """How a flow writes one system."""

    schedule: Schedule | None = Field(default=None, description="When it runs besides the arrival of changes.")
    page_size: int = Field(default=100, ge=1, le=10_000, description="Records a request.")
    block: int = Field(default=1000, ge=1, le=10_000, description="Journal entries taken at once.")
    writers: int = Field(default=1, ge=1, le=16, description="Requests under way at the same time.")
    timezone: TimeZone | None = Field(default=None, description="Time zone of the schedule, if not the flow's.")


class Retries(Model):
    """How often and how long a failed record is tried again."""

    attempts: int = Field(default=5, ge=1, le=100, description="Tries in all before a record becomes a dead letter.")
    first_wait: Duration = Field(
        default=timedelta(seconds=30), description="Wait before the second try; doubles each time."
    )
    max_wait: Duration = Field(default=timedelta(minutes=15), description="Longest wait between two tries.")

    @model_validator(mode="after")
    def _order(self) -> "Retries":
        if self.max_wait < self.first_wait:
            raise ValueError("'max_wait' is shorter than 'first_wait'")
        return self


class Brake(Model):
    """How many records one run may delete or block before it stops and asks."""

    share: int = Field(default=10, ge=0, le=100, description="Per cent of the records the system has.")
    at_least: int = Field(default=20, ge=0, description="So many are always allowed.")


class ErrorBudget(Model):
    """How many records of one run may fail for one reason before it stops instead of setting all of them aside."""

    share: int = Field(default=20, ge=0, le=100, description="Per cent of the records the run has handled.")
    at_least: int = Field(default=20, ge=0, description="Below so many failures the share does not count.")
    most: int = Field(default=50, ge=1, description="More than so many stop the run whatever their share.")


class OwnerChoice(Model):
    """One line of an owner list: this system owns the field, if a condition holds."""

    system: str = Field(description="The system that owns the field.")
    when: str | None = Field(default=None, description="Condition on the canonical record; none: always.")


class FlowConfig(Model):
    """How one canonical entity travels."""

    flow: str = Field(description="The canonical entity; the file has the same name.")
    description: str = Field(default="", description="What the flow is for.")
    capture: dict[str, CaptureConfig] = Field(
        default_factory=dict, description="The systems it reads, each with its schedules."
    )
    first: str | None = Field(
        default=None, description="The system whose first load is settled before anything born elsewhere travels."
    )
    match: tuple[tuple[str, ...], ...] = Field(
        default=(),
        description="Rules by which a record met in a second system is recognised: fields that must be equal.",
    )
    owners: dict[str, tuple[OwnerChoice, ...]] = Field(
        default_factory=dict,
        description="Who owns which field: a system, `newest`, `each`, or a list with `{system: condition}`; `*` is the rest.",
    )
    distribute: dict[str, DistributeConfig] = Field(default_factory=dict, description="The systems it writes.")
    retries: Retries = Field(default_factory=Retries, description="Ring of retries over records.")
    brake: Brake = Field(
        default_factory=Brake, description="Deletes and blocks a run may make before it stops and asks."
    )
    error_budget: ErrorBudget = Field(
        default_factory=ErrorBudget, description="Equal failures a run may set aside before it stops."
    )
    alert: tuple[str, ...] = Field(default=(), description="Who is told of failures.", strict=False)
    history: Literal["newest", "every"] = Field(
        default="newest", description="`every`: targets see each version of a record."
    )
    keep: Literal["all", "newest"] = Field(default="all", description="`newest`: state only, no history (stock).")
    absent: Literal["keep", "delete"] = Field(
        default="keep", description="What a key means that is missing from a complete read."
    )
    priority: Literal["normal", "first"] = Field(
        default="normal", description="`first`: distributed before other flows."
    )
    keep_native: Duration | None = Field(
        default=None, description="How long the compressed source bytes are kept for replay."
    )
    filter: str | None = Field(
        default=None, description="Condition on the canonical record; what does not pass stays out."
    )
    timezone: TimeZone = Field(default="UTC", description="Time zone of the schedules.")

    _disabled: frozenset[str] = PrivateAttr(default=frozenset())

    @model_validator(mode="before")
    @classmethod
    def _empty_targets(cls, value: Any) -> Any:
        """`commerce:` without anything behind it means `commerce: {}`."""
        if isinstance(value, dict) and isinstance(value.get("distribute"), dict):
            targets = {name: {} if target is None else target for name, target in value["distribute"].items()}
            return {**value, "distribute": targets}
        return value

    @field_validator("match", mode="before")
    @classmethod
    def _match_rules(cls, value: Any) -> Any:
        if not isinstance(value, list):
            raise ValueError(f"{shown(value)} is not a list of rules; write - [customer_number]")
        for rule in value:
            if not isinstance(rule, list) or not rule or not all(isinstance(name, str) for name in rule):
                raise ValueError(f"{shown(rule)} is not a rule; write the fields in brackets: [vat_number, country]")
        return tuple(tuple(rule) for rule in value)

    @field_validator("owners", mode="before")
    @classmethod
    def _owner_lists(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError(f"{shown(value)} is not a list of fields and owners; write {{'*': s4hana}}")
        return {name: _choices(name, owner) for name, owner in value.items()}

    def active_capture(self) -> dict[str, CaptureConfig]:
        """The systems it reads that are switched on."""
        return {name: c for name, c in self.capture.items() if name not in self._disabled}

    def active_distribute(self) -> dict[str, DistributeConfig]:
        """The systems it writes that are switched on."""
        return {name: d for name, d in self.distribute.items() if name not in self._disabled}

    def without(self, disabled: frozenset[str]) -> "FlowConfig":
        """The same flow, knowing which systems are switched off."""
        copy = self.model_copy()
        copy._disabled = disabled  # noqa: SLF001 - its own kind
        return copy

    def zone_of(self, part: CaptureConfig | DistributeConfig) -> str:
        """The time zone of a part's schedules."""
        return part.timezone or self.timezone


def _choices(field: str, owner: Any) -> tuple[OwnerChoice, ...]:
    entries = owner if isinstance(owner, list) else [owner]
    return tuple(_choice(field, entry) for entry in entries)


def _choice(field: str, entry: Any) -> OwnerChoice:
    if isinstance(entry, str):
        return OwnerChoice(system=entry)
    if isinstance(entry, dict) and len(entry) == 1:
        system, when = next(iter(entry.items()))
        if isinstance(when, str):
            return OwnerChoice(system=system, when=when)
    raise ValueError(f"owner of '{field}': expected a system, '{NEWEST}', '{EACH}' or {{system: condition}}")
