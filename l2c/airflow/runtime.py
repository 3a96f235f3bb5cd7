"""Opens the hub inside Airflow: same façade as on the command line, connections from Airflow."""

from typing import TYPE_CHECKING

from l2c.airflow.connections import airflow_connection

if TYPE_CHECKING:
    from l2c.hub import Hub


def open_hub() -> "Hub":
    """The hub of this process; the caller closes it.

    Its state has a database of its own (`L2C_DATABASE_URL`): a task may not touch Airflow's. The façade is imported here,
    not above: Airflow reads the DAG files again and again, and reading them needs neither state nor systems.
    """
    from l2c.hub import Hub

    return Hub.open(connections=airflow_connection)
