"""Runs once in its own process before Airflow starts: creates Airflow's tables and the connections to the systems.

`python -m demo.prepare '<JSON: connection id → fields>'`, in the environment of the Airflow to come.
"""

import json
import sys


def main() -> None:
    """Create the schema, then the connections, encrypted as if somebody had typed them in."""
    from airflow.models import Connection
    from airflow.utils.db import initdb
    from airflow.utils.session import create_session

    initdb()
    with create_session() as session:
        for name, fields in json.loads(sys.argv[1]).items():
            session.add(Connection(conn_id=name, **fields))


if __name__ == "__main__":
    main()
