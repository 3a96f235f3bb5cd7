"""A simulated shop in a process of its own, and a plain client for it: what the tests of the shop share."""

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]
CLIENT = ("l2c-hub", "sandbox")
JSON = {"Accept": "application/json"}


class Shop:
    """Speaks to one shop; `get`, `post` … take paths below `/odata2webservices/L2CB2BUnit/` unless they start with `/`."""

    def __init__(self, ready, *, login):
        self.url, self.control_url, self.pid = ready["url"], ready["control"], ready["pid"]
        self.session = requests.Session()
        self.session.trust_env = False
        if login:
            self.login()

    def login(self):
        answer = self.session.post(self.token_url, data={"grant_type": "client_credentials"}, auth=CLIENT, timeout=10)
        self.session.headers.update({"Authorization": f"Bearer {answer.json()['access_token']}", **JSON})
        return answer.json()

    @property
    def token_url(self):
        return f"{self.url}/authorizationserver/oauth/token"

    def address(self, path):
        return f"{self.url}{path}" if path.startswith("/") else f"{self.url}/odata2webservices/L2CB2BUnit/{path}"

    def call(self, method, path, **more):
        return self.session.request(method, self.address(path), timeout=10, **more)

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, payload, **more):
        return self.call("POST", path, json=payload, **more)

    def patch(self, path, payload, **more):
        return self.call("PATCH", path, json=payload, **more)

    def results(self, path):
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()["d"]["results"]

    def entity(self, path):
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()["d"]

    def control(self, method, path, payload=None, **params):
        answer = self.session.request(method, self.control_url + path, json=payload, params=params, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def record(self, entity, key):
        return self.control("GET", "/record", entity=entity, key=key)

    def log(self, after=0, **params):
        return self.control("GET", "/log", after=after, **params)["entries"]

    def last(self):
        return self.control("GET", "/log", origin="all", limit=100_000)["next"]

    def fault(self, **fault):
        return self.control("POST", "/faults", fault)["id"]

    def settings(self, **values):
        return self.control("POST", "/settings", values)


def unit(uid, *addresses, **more):
    return {"uid": uid, "name": f"Unit {uid}", "addresses": list(addresses), **more}


def address(key, country="DE", region=None, **more):
    made = {"publicKey": key, "duplicate": False, "country": {"isocode": country}, **more}
    return made | ({"region": {"isocode": region, "country": {"isocode": country}}} if region else {})


def refused(answer, status, code):
    """The text of an error answer that must have this status and code."""
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["code"] == code, error
    assert error["message"]["lang"] == "en"
    return error["message"]["value"]


@contextmanager
def started(folder=None, *arguments, login=True):
    """A shop that ends with the block; `folder` keeps its state."""
    command = [sys.executable, "-m", "sandbox", "commerce", "--port", "0", *arguments]
    command += ["--data", str(folder)] if folder else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield Shop(json.loads(process.stdout.readline()), login=login)
        finally:
            process.terminate()
