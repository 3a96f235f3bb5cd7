"""Life of a simulated system's process: arguments, ready line, clean end."""

import argparse
import importlib
import json
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType, ModuleType

from sandbox.core import control
from sandbox.core.app import App, Controls
from sandbox.core.clock import Clock
from sandbox.core.server import Server
from sandbox.core.store import Store

SYSTEMS = ("s4hana", "commerce")


def main(arguments: list[str] | None = None) -> int:
    """Run one simulated system until SIGTERM or SIGINT; prints one JSON line when it is ready.

    Each system is a module `sandbox.<name>.system` with `add_arguments(parser)` and `create(arguments, app) -> System`.
    """
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=main.__doc__)
    names = parser.add_subparsers(dest="system", required=True, metavar="SYSTEM")
    wanted = next((a for a in (sys.argv[1:] if arguments is None else arguments) if a in SYSTEMS), None)
    for name in SYSTEMS:
        _add_common(names.add_parser(name, help=f"simulated {name}"), name if name == wanted else None)
    options = parser.parse_args(arguments)
    if options.data is not None:
        return _run(options, options.data)
    with tempfile.TemporaryDirectory(prefix=f"sandbox-{options.system}-") as folder:
        return _run(options, Path(folder))


def _add_common(parser: argparse.ArgumentParser, load: str | None) -> None:
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--data", type=Path, help="folder of the state; without it the state ends with the process")
    parser.add_argument("--seed", type=int, default=7, help="seed of the generated data")
    if load:
        _module(load).add_arguments(parser)


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"sandbox.{name}.system")


def _run(options: argparse.Namespace, folder: Path) -> int:
    clock = Clock()
    app = App(Store(folder, clock), clock)
    system = _module(options.system).create(options, app)
    app.install(system, control.routes(app, system.controls() if isinstance(system, Controls) else ()))
    server = Server(options.port, app)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        # shutdown() waits for serve_forever(), which runs in this very thread
        threading.Thread(target=server.shutdown, daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    ready = {"system": options.system, "url": server.url, "control": f"{server.url}/_control", "pid": os.getpid()}
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    try:
        server.serve_forever(poll_interval=0.05)
    finally:
        server.server_close()
        app.close()
    return 0
