"""What every simulated system stands on: HTTP server, faults, control address, SQLite store and commit log.

A system is a module `sandbox.<name>.system` with

* `add_arguments(parser)`: its command-line options (the core adds `--port`, `--data`, `--seed`);
* `create(options, app) -> System`: build the tables (`app.store.script(sql)`), load first data when the store is new,
  return an object with the methods of the protocol `System`.

A handler takes a `Request` and returns a `Response`. To write it opens exactly one transaction:

    with app.store.write(request.id) as tx:
        tx.db.execute(...)
        tx.log("B2BUnit", "4711", "created", payload, mark=...)

State and log rows commit together when the block ends; an exception rolls both back. To read: `with app.store.read() as
db`. A `$batch` handler builds one `Request(..., inner=True, id=f"{request.id}.{n}")` an operation and calls
`app.serve_inner(inner[, handler])`; None means that this part must be missing from the answer (a fault took it).
`app.clock.now()` is the system's time, `tx.next_number("range", first)` its number ranges, `app.store.meta/set_meta`
small settings that outlive the process; `app.closing` what ends with the process. A system with `controls()` has
addresses of its own under `/_control`. `join_key`/`split_key` are the text form of keys in log and control address.
"""

from sandbox.core.app import App, Route, System, basic_login
from sandbox.core.clock import Clock
from sandbox.core.control import join_key, split_key
from sandbox.core.faults import Fault
from sandbox.core.messages import Handler, Request, Response, json_response
from sandbox.core.store import Store, Transaction

__all__ = [
    "App",
    "Clock",
    "Fault",
    "Handler",
    "Request",
    "Response",
    "Route",
    "Store",
    "System",
    "Transaction",
    "basic_login",
    "join_key",
    "json_response",
    "split_key",
]
