"""The hub's bells: Airflow assets whose events say that there is work, never what it is."""

from airflow.sdk import Asset, AssetAlias

GROUP = "l2c"


def journal_bell(entity: str) -> Asset:
    """Rings when the entity's journal has grown."""
    return Asset(name=entity, uri=f"l2c://journal/{entity}", group=GROUP)


def inbox_bell(entity: str, system: str) -> Asset:
    """Rings when a system has named records of the entity to fetch."""
    return Asset(name=f"{entity}.inbox.{system}", uri=f"l2c://inbox/{entity}/{system}", group=GROUP)


def bells_of(entity: str) -> AssetAlias:
    """Stands for the bells a run of this entity may ring: which of them do is known only when it has done its work."""
    return AssetAlias(name=f"{entity}.bells", group=GROUP)
