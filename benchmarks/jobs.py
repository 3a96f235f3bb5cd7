"""One measured piece of work in a process of its own: `python -m benchmarks.jobs KIND PORT RECORDS FOLDER`.

Prints one JSON line: CPU and wall seconds of the work alone (imports, set-up, metadata and compiled mappings lie outside),
peak memory of the process in KiB, and counts for the check that the work was done.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.home import BATCH, ENTITY, PAGE, SOURCE, TARGET

Work = Callable[[], dict[str, int]]


def floor(port: int, folder: Path) -> Work:
    """The least a copy can do with the usual libraries: whole page decoded, ready rows sent, nothing mapped or kept."""
    import orjson
    import requests

    session = requests.Session()
    session.trust_env = False
    base = f"http://127.0.0.1:{port}"
    body = (folder / "batch.bin").read_bytes()
    kind = body[2 : body.index(b"\r\n")].decode()
    headers = {"Content-Type": f"multipart/mixed; boundary={kind}"}
    if body.count(b"\r\nContent-Type: application/http\r\n") != BATCH:
        raise SystemExit(f"the recorded batch has not {BATCH} records")

    def work() -> dict[str, int]:
        read = written = 0
        while True:
            answer = session.get(f"{base}/A_BusinessPartner", timeout=60)
            found = orjson.loads(answer.content)["d"]["results"]
            if not found:
                return {"read": read, "written": written}
            read += len(found)
            while written + BATCH <= read:
                answer = session.post(f"{base}/$batch", data=body, headers=headers, timeout=60)
                if answer.status_code != 202 or answer.content.count(b"HTTP/1.1 201") != BATCH:
                    raise SystemExit("the replayed batch was not answered")
                written += BATCH

    return work


def capture() -> Work:
    """The hub's capture of everything into an empty state store."""
    hub = _warm_hub()

    def work() -> dict[str, int]:
        return hub.capture(ENTITY, SOURCE).counts

    return work


def distribute() -> Work:
    """The hub's distribution of a full journal to a target that has nothing yet."""
    hub = _warm_hub()

    def work() -> dict[str, int]:
        return hub.distribute(ENTITY, TARGET).counts

    return work


def both() -> Work:
    """Capture, then distribution, in one process."""
    hub = _warm_hub()

    def work() -> dict[str, int]:
        captured = hub.capture(ENTITY, SOURCE).counts
        return {**captured, **hub.distribute(ENTITY, TARGET).counts}

    return work


def _warm_hub() -> Any:
    """A hub whose mappings are compiled and whose systems have shown their metadata."""
    from l2c.config import Project
    from l2c.hub import Hub
    from l2c.mapping import read_mappers, write_mappers

    hub = Hub.open()
    project: Project = hub.project
    hub.describe(SOURCE, read_mappers(project, project.system(SOURCE), ENTITY)[0].native)
    for mapper in write_mappers(project, project.system(TARGET), ENTITY):
        hub.describe(TARGET, mapper.native)
    return hub


def _work(kind: str, port: int, records: int, folder: Path) -> Work:
    if kind == "floor":
        return floor(port, folder)
    if kind.startswith(("mapped_", "hand_")):
        from benchmarks.mapping_jobs import mapping_job

        return mapping_job(kind, records)
    return {"capture": capture, "distribute": distribute, "both": both}[kind]()


def main() -> None:
    kind, port, records, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    work = _work(kind, port, records, folder)
    cpu, wall = time.process_time(), time.perf_counter()
    counts = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"cpu": cpu, "wall": wall, "rss_kib": rss, "counts": counts, "page": PAGE}))


if __name__ == "__main__":
    main()
