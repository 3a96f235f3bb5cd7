"""The control address: commit log, statistics, faults, changes as a user would make them, the clock."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import unquote

import orjson

from sandbox.core.app import App, Route
from sandbox.core.messages import Handler, Request, Response, json_response


def routes(app: App, extra: Sequence[tuple[str, str, Handler]] = ()) -> list[Route]:
    """Routes under `/_control`, to be installed before the system's own; `extra` are those of the system."""
    control = _Control(app)
    table: list[tuple[str, str, Callable[[Request], Response]]] = [
        ("GET", "", control.index),
        ("GET", "/log", control.log),
        ("GET", "/stats", control.stats),
        ("DELETE", "/stats", control.reset_stats),
        ("POST", "/faults", control.add_fault),
        ("GET", "/faults", control.list_faults),
        ("DELETE", "/faults(?:/[0-9]+)?", control.clear_faults),
        ("POST", "/change", control.change),
        ("POST", "/create", control.create),
        ("POST", "/delete", control.delete),
        ("GET", "/record", control.record),
        ("GET", "/records", control.records),
        ("GET", "/clock", control.clock),
        ("POST", "/clock", control.set_clock),
        ("GET", "/settings", control.settings),
        ("POST", "/settings", control.settings),
        *extra,
    ]
    made = [Route(f"/_control{path}", _answered(handler), "control", (method,)) for method, path, handler in table]
    return [*made, Route("/_control.*", lambda _: json_response({"error": "no such control address"}, 404), "control")]


def _answered(handler: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """Turn wrong calls into clear answers: 404 for what is not there, 400 for what cannot be."""

    def answer(request: Request) -> Response:
        try:
            return handler(request)
        except KeyError as error:
            return json_response({"error": f"not found: {error.args[0] if error.args else error}"}, 404)
        except (ValueError, TypeError) as error:
            return json_response({"error": str(error)}, 400)

    return answer


class _Control:
    def __init__(self, app: App) -> None:
        self.app = app

    def index(self, _: Request) -> Response:
        return json_response({"system": self.app.system.name, "clock": self.app.clock.now().isoformat()})

    def log(self, request: Request) -> Response:
        after, limit = int(request.params.get("after", 0)), int(request.params.get("limit", 1000))
        origin, entity = request.params.get("origin", "api"), request.params.get("entity")
        entries = self.app.store.log_entries(after, limit, origin, entity)
        return json_response({"entries": entries, "next": entries[-1]["seq"] if entries else after})

    def stats(self, _: Request) -> Response:
        return json_response({**self.app.stats.snapshot(), "writes": self.app.store.write_counts()})

    def reset_stats(self, _: Request) -> Response:
        self.app.stats.reset()
        return json_response({"reset": True})

    def add_fault(self, request: Request) -> Response:
        return json_response({"id": self.app.faults.add(request.json())}, 201)

    def list_faults(self, _: Request) -> Response:
        return json_response({"faults": self.app.faults.list()})

    def clear_faults(self, request: Request) -> Response:
        last = request.path.rsplit("/", 1)[1]
        return json_response({"removed": self.app.faults.clear(int(last) if last.isdigit() else None)})

    def change(self, request: Request) -> Response:
        content = request.json()
        entity, key = content["entity"], content["key"]
        with self.app.store.write(request.id, "user") as tx:
            self.app.system.change(tx, entity, key, content["set"])
        return json_response({"entity": entity, "key": key})

    def create(self, request: Request) -> Response:
        content = request.json()
        values = content.get("set", content.get("values"))
        with self.app.store.write(request.id, "user") as tx:
            key = self.app.system.create(tx, content["entity"], values)
        return json_response({"entity": content["entity"], "key": key}, 201)

    def delete(self, request: Request) -> Response:
        content = request.json()
        with self.app.store.write(request.id, "user") as tx:
            self.app.system.delete(tx, content["entity"], content["key"])
        return json_response({"entity": content["entity"], "key": content["key"]})

    def record(self, request: Request) -> Response:
        entity, key = request.params["entity"], request.params["key"]
        found = self.app.system.record(entity, key)
        if found is None:
            raise KeyError(f"{entity} {key}")
        return json_response(found)

    def records(self, request: Request) -> Response:
        after, limit = request.params.get("after", ""), int(request.params.get("limit", 1000))
        lines = self._lines(request.params["entity"], after, limit)
        return Response(200, b"".join(lines), "application/x-ndjson")

    def _lines(self, entity: str, after: str, limit: int) -> Iterator[bytes]:
        for key, data in self.app.system.records(entity, after, limit):
            yield orjson.dumps({"key": key, "data": data}) + b"\n"

    def clock(self, _: Request) -> Response:
        return json_response({"now": self.app.clock.now().isoformat(), "offset_s": self.app.clock.offset_s})

    def set_clock(self, request: Request) -> Response:
        self.app.clock.offset_s = float(request.json()["offset_s"])
        self.app.store.set_meta("clock_offset_s", str(self.app.clock.offset_s))
        return self.clock(request)

    def settings(self, request: Request) -> Response:
        content: dict[str, Any] = request.json() if request.body else {}
        return json_response(self.app.system.configure(content))


def join_key(parts: list[str]) -> str:
    """The text form of a key: its parts joined by `/`, with `/` and `%` inside a part percent-encoded."""
    return "/".join(str(part).replace("%", "%25").replace("/", "%2F") for part in parts)


def split_key(key: str) -> list[str]:
    """The parts of a key's text form."""
    return [unquote(part) for part in key.split("/")]
