"""Starts simulated systems as processes of their own and speaks plain HTTP to them."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

PROJECT = Path(__file__).parents[2]
SERVICE = "/sap/opu/odata/sap/API_BUSINESS_PARTNER"


@dataclass
class Process:
    """A running system: `url` and `control` as in its ready line."""

    popen: subprocess.Popen[bytes]
    url: str
    control: str

    def ask(self, path: str, **params: Any) -> Any:
        answer = requests.get(self.control + path, params=params, timeout=20)
        answer.raise_for_status()
        return answer.json()

    def tell(self, path: str, **content: Any) -> Any:
        answer = requests.post(self.control + path, json=content, timeout=20)
        answer.raise_for_status()
        return answer.json()

    def fault(
        self, kind: str, method: str | None = None, path: str | None = None, *, inner: bool = False, **content: Any
    ) -> int:
        match = {"method": method, "path": path, "inner": inner}
        return self.tell("/faults", match=match, kind=kind, **content)["id"]

    def log(self, after: int = 0, **params: Any) -> list[dict[str, Any]]:
        return self.ask("/log", after=after, **params)["entries"]

    def log_end(self) -> int:
        """The last sequence number, whoever made the change."""
        entries = self.ask("/log", origin="all", limit=1_000_000)["entries"]
        return entries[-1]["seq"] if entries else 0

    def stop(self) -> int:
        if self.popen.poll() is None:
            self.popen.terminate()
        code = self.popen.wait(timeout=10)
        if self.popen.stdout:
            self.popen.stdout.close()
        return code


@dataclass
class S4:
    """A client of the simulated S/4HANA, with login, token and cookies."""

    process: Process
    session: requests.Session = field(default_factory=requests.Session)
    root: str = ""

    def __post_init__(self) -> None:
        self.root = self.process.url + SERVICE
        self.session.trust_env = False
        self.session.auth = ("HUB_USER", "sandbox-s4-secret")
        self.session.headers["Accept"] = "application/json"

    def sign_in(self) -> "S4":
        answer = self.session.get(self.root + "/", headers={"X-CSRF-Token": "Fetch"}, timeout=20)
        self.session.headers["X-CSRF-Token"] = answer.headers["x-csrf-token"]
        return self

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        url = path if path.startswith("http") else f"{self.root}/{path}"
        return self.session.request(method, url, **{"timeout": 20, **options})

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.call("GET", path, **options)

    def post(self, path: str, content: Any, **options: Any) -> requests.Response:
        return self.call("POST", path, json=content, **options)

    def rows(self, path: str, **params: str) -> list[dict[str, Any]]:
        """The results of one page; `filter` and the like become `$filter`."""
        answer = self.get(path, params={f"${name}": value for name, value in params.items()})
        assert answer.status_code == 200, answer.text
        return answer.json()["d"]["results"]

    def record(self, path: str) -> dict[str, Any]:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()["d"]

    def new_partner(self, **fields: Any) -> dict[str, Any]:
        content = {"BusinessPartnerCategory": "2", "OrganizationBPName1": "Muster GmbH", **fields}
        answer = self.post("A_BusinessPartner", content)
        assert answer.status_code == 201, answer.text
        return answer.json()["d"]

    def batch(self, body: str, boundary: str = "batch_1") -> requests.Response:
        headers = {"Content-Type": f"multipart/mixed; boundary={boundary}"}
        return self.call("POST", "$batch", data=body.encode(), headers=headers)


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[..., Process]]:
    """`start("s4hana", "--partners", "50")`: a process that ends with the test module."""
    running: list[Process] = []

    def begin(system: str, *options: str) -> Process:
        command = [sys.executable, "-m", "sandbox", system, *options]
        popen = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=PROJECT)
        ready = json.loads(popen.stdout.readline())
        running.append(Process(popen, ready["url"], ready["control"]))
        return running[-1]

    yield begin
    for process in running:
        process.stop()


@pytest.fixture(scope="module")
def s4_process(start: Callable[..., Process]) -> Process:
    return start("s4hana", "--partners", "120")


@pytest.fixture
def s4(s4_process: Process) -> Iterator[S4]:
    """A signed-in client of a system that is shared by the module; faults and settings are taken back behind each test."""
    before = s4_process.ask("/settings")
    client = S4(s4_process).sign_in()
    yield client
    client.session.close()
    requests.delete(s4_process.control + "/faults", timeout=20)
    s4_process.tell("/settings", **before)
    s4_process.tell("/clock", offset_s=0)


@pytest.fixture(scope="session")
def operation() -> Callable[..., str]:
    """Text of one HTTP request as a part of a batch."""

    def make(method: str, url: str, content: Any = None, *, content_id: str | None = None, **headers: str) -> str:
        head = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
        if content_id:
            head += f"Content-ID: {content_id}\r\n"
        lines = [f"{method} {url} HTTP/1.1", "Accept: application/json"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        body = "" if content is None else json.dumps(content)
        if body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body.encode())}"]
        return head + "\r\n" + "\r\n".join(lines) + "\r\n\r\n" + body + "\r\n"

    return make


@pytest.fixture(scope="session")
def multipart() -> Callable[..., str]:
    """A batch of reads (text) and changesets (lists of text)."""

    def make(*parts: str | list[str]) -> str:
        text = ""
        for number, part in enumerate(parts):
            text += "--batch_1\r\n"
            if isinstance(part, str):
                text += part
                continue
            inner = f"changeset_{number}"
            text += f"Content-Type: multipart/mixed; boundary={inner}\r\n\r\n"
            text += "".join(f"--{inner}\r\n{change}" for change in part) + f"--{inner}--\r\n"
        return text + "--batch_1--\r\n"

    return make


@pytest.fixture(scope="session")
def statuses() -> Callable[[requests.Response], list[int]]:
    """The HTTP status of every answer inside a batch's answer, in order."""
    return lambda answer: [int(code) for code in re.findall(r"HTTP/1\.1 (\d{3}) ", answer.text)]


@pytest.fixture(scope="session")
def wait_for() -> Callable[[Callable[[], bool]], None]:
    """Wait until a condition holds, at most five seconds."""

    def wait(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < end, "it never happened"
            time.sleep(0.02)

    return wait
