"""Who is told when a task has failed for good."""

from collections.abc import Callable, Sequence
from typing import Any

import structlog

from l2c.errors import HubError

log = structlog.get_logger(__name__)


def alert_callback(flow: str, recipients: Sequence[str]) -> Callable[[dict[str, Any]], None]:
    """A failure callback that writes one `alert` line naming the flow's recipients.

    It runs once, after the last try, in the task's process. What carries the line further (a log shipper, a mail rule) is
    the installation's choice.
    """

    def alert(context: dict[str, Any]) -> None:
        instance, error = context.get("task_instance"), context.get("exception")
        log.error(
            "alert",
            flow=flow,
            to=list(recipients),
            dag=getattr(instance, "dag_id", ""),
            task=getattr(instance, "task_id", ""),
            run=getattr(instance, "run_id", ""),
            error=type(error).__name__,
            message=error.message if isinstance(error, HubError) else "see the task's log",
        )

    return alert
