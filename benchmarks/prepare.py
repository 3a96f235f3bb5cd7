"""Record the simulated systems once: pages as the connector asks for them, one batch, metadata and tokens.

The pages hold customer organizations only, so that every record that is read is also written. A recording is kept in
`build/bench` and made again when anything that shapes it has changed.
"""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.home import ENTITY, ROOT, SOURCE, TARGET, environment, make_home
from benchmarks.recorder import Recorder
from benchmarks.systems import running

SEED = 7
SHAPING = ("sandbox", "connectors", "mappings", "l2c/http", "benchmarks")
SOURCES = {".py", ".yaml", ".txt", ".csv"}
SET_UP = 2_000
"""Records of the small recording from which batch, metadata and tokens are taken."""


def prepared(records: int, say: Any = print) -> Path:
    """The folder with a recording of that many records, made when it is not there."""
    folder = ROOT / "build" / "bench" / f"recording-{records}-{_fingerprint()}"
    if (folder / "done").exists():
        return folder
    for old in folder.parent.glob("recording-*"):
        _remove(old)
    folder.mkdir(parents=True)
    say(f"recording {records} partners of the simulated systems (once, kept in build/bench)")
    small = folder / "small"
    small.mkdir()
    record(small, SET_UP, f"{_HUB}hub.capture({ENTITY!r}, {SOURCE!r}); hub.distribute({ENTITY!r}, {TARGET!r})")
    record(folder, records, f"{_HUB}hub.capture({ENTITY!r}, {SOURCE!r})")
    _take_over(small, folder)
    _remove(small)
    (folder / "done").touch()
    return folder


_HUB = "from l2c.hub import Hub; hub = Hub.open(); "


def record(folder: Path, records: int, work: str) -> None:
    """Let the hub do some work on fresh systems behind the recorder."""
    store = folder / "s4hana"
    subprocess.run([sys.executable, "-m", "benchmarks.prepare", str(store), str(records)], cwd=ROOT, check=True)
    with _sandbox("s4hana", store) as source, _sandbox("commerce", folder / "commerce") as target:
        recorder = Recorder(folder, source, target)
        home = make_home(folder / "home")
        try:
            hub = [sys.executable, "-c", work]
            subprocess.run(hub, env=environment(home, folder / "state.db", recorder.port), cwd=ROOT, check=True)
        finally:
            recorder.close()
    if recorder.batch is not None:
        request, answer = recorder.batch
        (folder / "batch.bin").write_bytes(request.partition(b"\r\n\r\n")[2])
        (folder / "part.bin").write_bytes(_first_part(answer))
    if recorder.index.records != records:
        raise SystemExit(f"recorded {recorder.index.records} partners instead of {records}")
    for left in (store, folder / "commerce", folder / "home"):
        _remove(left)
    for left in folder.glob("state.db*"):
        left.unlink()


def customers(seed: int, count: int) -> Iterator[dict[str, Any]]:
    """The first customer organizations of the sandbox's generator."""
    from sandbox.generator import partners

    everyone = partners(seed, 10 * count)
    return islice((p for p in everyone if p["BusinessPartnerCategory"] == "2" and p.get("Customer")), count)


def fill(folder: Path, count: int) -> None:
    """Make the state of a simulated S/4HANA that holds customers only."""
    from sandbox.core import Store
    from sandbox.core.clock import Clock
    from sandbox.s4hana import tables
    from sandbox.s4hana.loader import Loader
    from sandbox.s4hana.model import load

    store, model = Store(folder, Clock()), load()
    store.script(tables.schema(model))
    store.set_meta("loaded", str(Loader(model, store).load(customers(SEED, count))))
    store.close()


@contextmanager
def _sandbox(system: str, data: Path) -> Iterator[int]:
    with running(system, data) as url:
        yield int(url.rpartition(":")[2])


def _first_part(answer: bytes) -> bytes:
    """The first changeset's answer, its number replaced by `@@`; without the length of the whole, which it changes."""
    found = re.search(rb"--changeset_[^\r]+\r\n(.*?)\r\n--changeset_", answer, re.DOTALL)
    if found is None:
        raise SystemExit(f"the shop's answer to a batch has no changeset: {answer[:300]!r}")
    part = re.sub(rb"Content-Length: \d+\r\n", b"", found.group(1), count=1)
    return re.sub(rb"Content-Id: \d+", b"Content-Id: @@", part, flags=re.IGNORECASE)


def _take_over(small: Path, folder: Path) -> None:
    """Batch, part and the answers that only a distribution asks for."""
    for name in ("batch.bin", "part.bin"):
        (folder / name).write_bytes((small / name).read_bytes())
    ours, theirs = (json.loads((place / "index.json").read_text()) for place in (folder, small))
    for name, place in theirs["answers"].items():
        if name not in ours["answers"]:
            ours["answers"][name] = f"small-{place}"
            (folder / f"small-{place}").write_bytes((small / place).read_bytes())
    (folder / "index.json").write_text(json.dumps(ours))


def _fingerprint() -> str:
    seen = hashlib.blake2b(digest_size=6)
    for top in SHAPING:
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix in SOURCES:
                seen.update(path.relative_to(ROOT).as_posix().encode())
                seen.update(path.read_bytes())
    return seen.hexdigest()


def _remove(place: Path) -> None:
    import shutil

    shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    fill(Path(sys.argv[1]), int(sys.argv[2]))
