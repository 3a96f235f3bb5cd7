"""What happens to a message once it is kept: understood in the background, then the captures it asks for are woken."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import structlog
from airflow.assets.manager import asset_manager
from airflow.serialization.definitions.assets import SerializedAssetUniqueKey
from airflow.utils.session import create_session
from sqlalchemy.exc import SQLAlchemyError

from l2c.airflow.bells import inbox_bell
from l2c.airflow.runtime import open_hub
from l2c.errors import HubError

log = structlog.get_logger(__name__)


class Intake:
    """Works off messages system by system, one at a time: what arrives meanwhile is done in the next round, with one ring.

    All of it may fail without harm: messages stay new until a capture of their system works them off.
    """

    def __init__(self, work: "Callable[[Iterable[str]], None] | None" = None) -> None:
        self._work = work or work_off
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="hub-intake")
        self._waiting: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def wake(self, system: str) -> None:
        """Have the messages of this system worked off; called in the event loop, returns at once."""
        self._waiting.add(system)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._rounds())

    async def _rounds(self) -> None:
        while self._waiting:
            systems, self._waiting = sorted(self._waiting), set()
            await asyncio.get_running_loop().run_in_executor(self._threads, self._work, systems)


def work_off(systems: Iterable[str]) -> None:
    """Understand what these systems sent and ring for every capture that has keys to fetch."""
    for system in systems:
        try:
            with open_hub() as hub:
                entities = hub.work_off(system)
            for entity in sorted(entities):
                ring(entity, system)
        except HubError as error:
            log.error("messages wait", system=system, error=type(error).__name__, message=error.message)
        except SQLAlchemyError as error:
            log.error("messages wait", system=system, error=type(error).__name__)


def ring(entity: str, system: str) -> bool:
    """Ring the bell of one capture, in a process that may use Airflow's database; False when no DAG listens (yet)."""
    bell = inbox_bell(entity, system)
    key = SerializedAssetUniqueKey(name=bell.name, uri=bell.uri)
    with create_session() as session:
        event = asset_manager.register_asset_change(asset=key, session=session)
    if event is None:
        log.warning("no capture listens", entity=entity, system=system)
    return event is not None
