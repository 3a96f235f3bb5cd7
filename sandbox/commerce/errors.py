"""Refusals in the shape of the Integration API."""

from __future__ import annotations

import orjson

from sandbox.core import Response

CODES = {
    400: "runtime_error",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    415: "unsupported_media_type",
    500: "internal_error",
}
HEADERS = [("DataServiceVersion", "1.0")]
MISFORMED = (
    "An error occurred while processing the request. The most likely cause of this error is the formatting of your OData"
    " request payload."
)


class Refused(Exception):
    """A request, or a part of it, cannot be done; carries status, code and text of the answer, and the item's key."""

    def __init__(self, code: str, message: str, *, status: int = 400, key: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.key = key

    def response(self) -> Response:
        """The answer to the client."""
        return error(self.status, self.code, self.message, key=self.key)


def error(status: int, code: str | None, message: str, *, key: str | None = None) -> Response:
    """An error answer: `{"error": {"code", "message": {"lang", "value"}, "innererror"}}`."""
    content: dict[str, object] = {
        "code": code or CODES.get(status, "internal_error"),
        "message": {"lang": "en", "value": message},
    }
    if key is not None:
        content["innererror"] = key
    return Response(status, orjson.dumps({"error": content}), "application/json;charset=utf-8", list(HEADERS))


def misformed(reason: str) -> Refused:
    """The payload or URL does not have the form that the metadata ask for."""
    return Refused("odata_error", f"{MISFORMED} {reason}")


def not_found(kind: str, key: str) -> Refused:
    """There is no item with this integration key."""
    return Refused("not_found", f"[{kind}] with integration key [{key}] was not found.", status=404)
