"""What the hub is compared with: read by change stamp, POST, remember the stamp. `python -m benchmarks.plain_loop ENV-FOLDER`.

Units of the shop become partners of S/4HANA. A stamp is remembered when its page was sent; what fails is logged and passed over,
unless nothing came through: then the page is read again. That is how such loops are written, and why they lose and double.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import requests

UNITS = "/odata2webservices/L2CB2BUnit/B2BUnits"
PARTNERS = "/sap/opu/odata/sap/API_BUSINESS_PARTNER/A_BusinessPartner"
PAGE, WAIT_S = 20, 10


def shop_session(connection: dict[str, str]) -> requests.Session:
    """Signed in to the shop."""
    form = {"grant_type": "client_credentials", "client_id": connection["user"], "client_secret": connection["secret"]}
    answer = requests.post(f"{connection['url']}/authorizationserver/oauth/token", data=form, timeout=WAIT_S)
    session = requests.Session()
    session.headers.update({"Authorization": f"Bearer {answer.json()['access_token']}", "Accept": "application/json"})
    return session


def s4_session(connection: dict[str, str]) -> requests.Session:
    """Signed in to S/4HANA, with the token writes need."""
    session = requests.Session()
    session.auth = (connection["user"], connection["secret"])
    session.headers["Accept"] = "application/json"
    answer = session.get(f"{connection['url']}{PARTNERS}?$top=1", headers={"X-CSRF-Token": "Fetch"}, timeout=WAIT_S)
    session.headers["X-CSRF-Token"] = answer.headers["x-csrf-token"]
    return session


def units(session: requests.Session, url: str, since: str) -> list[dict[str, Any]]:
    """Units changed since a stamp, in its order."""
    where = (
        f"modifiedtime gt datetimeoffset'{since}'" if since else "modifiedtime gt datetimeoffset'2000-01-01T00:00:00Z'"
    )
    params = {"$filter": where, "$orderby": "modifiedtime asc", "$top": str(PAGE)}
    answer = session.get(url + UNITS, params=params, timeout=WAIT_S)
    answer.raise_for_status()
    return list(answer.json()["d"]["results"])


def turn(env: dict[str, str], place: Path) -> int:
    """One page; how many partners were created."""
    shop, s4 = (json.loads(env[f"L2C_CONNECTION_{name}"]) for name in ("COMMERCE", "S4HANA"))
    reading, writing = shop_session(shop), s4_session(s4)
    since = place.read_text() if place.exists() else ""
    created = 0
    for unit in units(reading, shop["url"], since):
        if not unit.get("l2cPartnerNumber"):
            body = {
                "BusinessPartnerCategory": "2",
                "BusinessPartnerGrouping": "BP02",
                "OrganizationBPName1": unit["name"],
            }
            answer = writing.post(s4["url"] + PARTNERS, json=body, timeout=WAIT_S)
            answer.raise_for_status()
            created += 1
        milliseconds = int(unit["modifiedtime"].partition("(")[2].partition("+")[0].rstrip(")/"))
        since = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds / 1000)) + f".{milliseconds % 1000:03}Z"
    place.write_text(since)
    return created


def loop(env: dict[str, str], place: Path, turns: int) -> None:
    """Turn after turn; what goes wrong is tried again from the remembered stamp."""
    for _ in range(turns):
        try:
            turn(env, place)
        except requests.RequestException as error:
            print(f"{type(error).__name__}: {error}", flush=True)


if __name__ == "__main__":
    loop(dict(os.environ), Path(sys.argv[1]) / "stamp", 10**6)
