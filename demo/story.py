"""The story, step by step: what people change in either system, and what has to come of it.

Nothing here starts a DAG: people change data in the simulated systems, Airflow's scheduler does the rest.
"""

from collections.abc import Callable

from demo import both_ways, towards_shop
from demo.cast import Story

TOWARDS_SHOP: dict[str, Callable[[Story], None]] = {
    "first-load": towards_shop.first_load,
    "second-run": towards_shop.second_run,
    "address": towards_shop.address,
    "block": towards_shop.block,
    "bad-record": towards_shop.bad_record,
}
BOTH_WAYS: dict[str, Callable[[Story], None]] = {
    "shop-edits": both_ways.shop_edits,
    "registrations": both_ways.registrations,
    "lost-answer": both_ways.lost_answer,
    "merge": both_ways.merge,
}


def steps(*, with_seed: bool) -> dict[str, Callable[[Story], None]]:
    """The steps by name, in their order; with CSV files (SEED) only those that go towards the shop."""
    return dict(TOWARDS_SHOP) if with_seed else {**TOWARDS_SHOP, **BOTH_WAYS}
