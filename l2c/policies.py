"""From the words of flows and systems to the limits the engine works with."""

from datetime import timedelta

from l2c.config import FlowConfig, SystemConfig
from l2c.distribute import Retries
from l2c.errors import ConfigError
from l2c.mapping import Mapper, elements_problem
from l2c.state.gate import Rules
from l2c.state.limits import Brake, Budget


def rules_of(system: SystemConfig) -> Rules:
    """When nothing is sent to a system, and how much at most."""
    breaker = system.breaker
    return Rules(breaker.failures, _ms(breaker.wait), _ms(breaker.longest_wait), system.rate)


def retries_of(flow: FlowConfig) -> Retries:
    """The slow ring of retries of a flow."""
    return Retries(
        attempts=flow.retries.attempts,
        first_ms=_ms(flow.retries.first_wait),
        max_ms=_ms(flow.retries.max_wait),
    )


def brake_of(flow: FlowConfig, allowed: int) -> Brake:
    """How much a run of a flow may delete or block; `allowed`: what somebody confirmed for this run."""
    return Brake(flow.brake.share, flow.brake.at_least, allowed)


def budget_of(flow: FlowConfig) -> Budget:
    """How many equal failures a run of a flow may set aside."""
    return Budget(flow.error_budget.share, flow.error_budget.at_least, flow.error_budget.most)


def refuse_elements(flow: FlowConfig, system: str, *mappers: Mapper, safe_by: str = "key") -> None:
    """Raise ConfigError where a mapping makes a record of each element and this flow or system cannot have that."""
    for mapper in mappers:
        reason = elements_problem(flow, system, mapper, safe_by)
        if reason:
            raise ConfigError(f"{mapper.file}: {reason}", system=system, entity=flow.flow)


def _ms(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)
