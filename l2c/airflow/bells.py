"""The hub's bells: Airflow assets whose events say that there is work, never what it is."""

from airflow.sdk import Asset, AssetAlias

GROUP = "l2c"


def journal_bell(entity: str) -> Asset:
    """Rings when the entity's journal has grown."""
    return Asset(name=entity, uri=f"l2c://journal/{entity}", group=GROUP)


def inbox_bell(entity: str, system: str) -> Asset:
    """Rings when a system has named records of the entity to fetch."""
    return Asset(name=f"{entity}.inbox.{system}", uri=f"l2c://inbox/{entity}/{system}", group=GROUP)


def woken_bells(entity: str) -> AssetAlias:
    """Stands for the bells of entities that refer to this one: which of them ring is known only when a run is settled."""
    return AssetAlias(name=f"{entity}.woken", group=GROUP)
