"""What Airflow mounts under /hub: the Hub page, read-only and behind Airflow's login, and the inbox beside it."""

import secrets
from dataclasses import asdict
from typing import Any

from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Environment, PackageLoader

from l2c.airflow.inbox import inbox_router
from l2c.airflow.matrix import Matrix, matrix
from l2c.airflow.runtime import open_hub
from l2c.contract import utc_now
from l2c.errors import HubError
from l2c.state.messages import FAILED
from l2c.state.results import Cell

MOST_REFUSED = 10


def build_app() -> FastAPI:
    """The application: `/` is the page, `/status.json` the same figures; both ask for read access to the DAGs.

    Below `/inbox` systems send to the hub: they have logins of their own.
    """
    template = Environment(loader=PackageLoader("l2c.airflow", "templates"), autoescape=True).get_template("hub.html")
    router = APIRouter(dependencies=[Depends(_all_dags), Depends(requires_access_dag("GET"))])

    def page(request: Request) -> HTMLResponse:
        shown, problems = read_matrix()
        nonce = secrets.token_urlsafe(16)
        html = template.render(
            matrix=shown, problems=problems, nonce=nonce, base=_base(request), now=f"{utc_now():%Y-%m-%d %H:%M:%S} UTC"
        )
        return HTMLResponse(html, headers=_headers(nonce))

    def status() -> JSONResponse:
        shown, problems = read_matrix()
        content: dict[str, Any] = {"problems": problems, **(asdict(shown) if shown else {})}
        return JSONResponse(content, status_code=200 if shown else 503, headers={"Cache-Control": "no-store"})

    router.add_api_route("/", page, methods=["GET"], response_class=HTMLResponse)
    router.add_api_route("/status.json", status, methods=["GET"])
    app = FastAPI(title="Lead-to-Cash Hub", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(router)
    app.include_router(inbox_router())
    return app


def _all_dags(request: Request) -> None:
    """Refuse `?dag_id=`: Airflow's check would then ask about that one DAG, and the page shows them all."""
    if "dag_id" in request.query_params:
        raise HTTPException(400, "the page shows every flow; leave out dag_id")


def read_matrix() -> tuple[Matrix | None, list[str]]:
    """The matrix of the flows that load, and what is wrong with the others; None when the hub does not open at all."""
    cells: list[Cell] = []
    problems: list[str] = []
    try:
        with open_hub() as hub:
            sent = hub.open_messages()
            refused = hub.messages(state=FAILED, limit=MOST_REFUSED) if sent else []
            for name in hub.project.flow_names:
                try:
                    cells += hub.status(name)
                except HubError as error:
                    problems.append(error.message)
    except HubError as error:
        return None, [error.message]
    return matrix(cells, utc_now(), messages=sent, refused=refused), problems


def _base(request: Request) -> str:
    """Where Airflow's own pages start: '' or the path it is served under."""
    return str(request.scope.get("root_path", "")).removesuffix("/hub")


def _headers(nonce: str) -> dict[str, str]:
    """The token cookie can be read by scripts, so no script runs but the page's own."""
    policy = f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; frame-ancestors 'self'; base-uri 'none'"
    return {"Content-Security-Policy": policy, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
