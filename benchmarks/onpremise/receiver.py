"""`python -m benchmarks.onpremise.receiver`: the hub's inbox as Airflow serves it, alone, on a free port of loopback.

Messages are worked off in the background as ever; the bells of captures are not rung, since no DAG is there to listen.
Prints its address as JSON when it is ready, and ends with its standard input.
"""

import json
import os
import sys
import tempfile
import threading
from collections.abc import Iterable

import uvicorn


def work_off(systems: Iterable[str]) -> None:
    """Understand what these systems sent."""
    from l2c.airflow.runtime import open_hub
    from l2c.errors import HubError

    for system in systems:
        try:
            with open_hub() as hub:
                hub.work_off(system)
        except HubError as error:
            print(f"{system}: {error.message}", file=sys.stderr)  # its messages stay new


def main() -> None:
    """Serve until the standard input ends."""
    with tempfile.TemporaryDirectory(prefix="l2caf") as airflow_home:
        os.environ["AIRFLOW_HOME"] = airflow_home
        os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = f"sqlite:///{airflow_home}/airflow.db"
        os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "WARNING"
        from fastapi import FastAPI

        from l2c.airflow.inbox import inbox_router
        from l2c.airflow.intake import Intake

        app = FastAPI()
        app.include_router(inbox_router(Intake(work_off)), prefix="/hub")
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        threading.Thread(target=_end_with_input, args=(server,), daemon=True).start()
        socket = config.bind_socket()
        print(json.dumps({"url": f"http://127.0.0.1:{socket.getsockname()[1]}/hub/inbox"}), flush=True)
        server.run(sockets=[socket])


def _end_with_input(server: uvicorn.Server) -> None:
    sys.stdin.read()
    server.should_exit = True


if __name__ == "__main__":
    main()
