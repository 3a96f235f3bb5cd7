"""Leases and their fencing numbers."""

import subprocess
import sys
import textwrap

import pytest

from l2c.errors import LeaseLost
from l2c.state import leases
from l2c.state.store import Store
from l2c.state.tables import lease as table


def test_a_held_lease_is_refused_and_names_its_holder(store: Store) -> None:
    leases.acquire(store, "flow", 60)
    with pytest.raises(LeaseLost, match="already running since 2026-03-02 08:00:00 UTC on host"):
        leases.acquire(store, "flow", 60)


def test_a_released_lease_can_be_taken_and_its_number_grows(store: Store) -> None:
    first = leases.acquire(store, "flow", 60)
    leases.release(store, first)
    assert leases.acquire(store, "flow", 60).fence > first.fence


def test_a_lease_that_ran_out_is_taken_over_and_the_old_holder_is_refused(store: Store, clock) -> None:
    old = leases.acquire(store, "flow", 60)
    clock.forward(seconds=61)
    new = leases.acquire(store, "flow", 60)
    with store.writing() as conn:
        leases.prove(conn, new, store.now())
    with pytest.raises(LeaseLost, match="taken over"), store.writing() as conn:
        leases.prove(conn, old, store.now())


def test_a_proof_moves_the_end_of_the_lease_on(store: Store, clock) -> None:
    held = leases.acquire(store, "flow", 60)
    clock.forward(seconds=50)
    with store.writing() as conn:
        leases.prove(conn, held, store.now())
    clock.forward(seconds=50)
    with pytest.raises(LeaseLost, match="already running"):
        leases.acquire(store, "flow", 60)


def test_a_holder_of_this_host_that_is_gone_is_replaced_at_once(store: Store, database_url: str) -> None:
    program = f"""
        from l2c.state.store import Store
        from l2c.state import leases
        leases.acquire(Store.open({database_url!r}), "flow", 100_000_000)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True)
    assert leases.acquire(store, "flow", 60).fence == 2


def test_a_reused_process_number_is_not_mistaken_for_the_holder(store: Store) -> None:
    leases.acquire(store, "flow", 60)
    with store.writing() as conn:
        conn.execute(table.update().values(process_started="1"))
    assert leases.acquire(store, "flow", 60).fence == 2
