"""The HTTP interface of a party of ours: what those of both parties have in common.

``POST /charge-points/{identity}/{action}`` takes an OCPP payload, has the request sent and hands over what came back.
The HTTP status tells whether the request was sent, the header ``OCPP-Message-Type`` and the body what was answered: a
CALLERROR is an answer like another, with 200. Who only wants to know that a request was sent needs to look at nothing
but the status.
"""

import asyncio
import hmac
import ipaddress
import json
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from importlib.resources import files
from typing import Any

import jsonschema_rs
import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from jinja2 import Environment
from starlette.exceptions import HTTPException as Problem
from starlette.middleware.trustedhost import TrustedHostMiddleware

from ocppj.clock import timestamp
from ocppj.errors import CallFailed, Disconnected, LocalMisuse, Refused
from ocppj.frames import Payload
from ocppj.schemas import faults, schema, severe
from ocppj.secrets import hidden

MESSAGE_TYPE = "OCPP-Message-Type"
LONGEST_BODY = 1_048_576  # bytes
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
OPEN_PATHS = ("/", "/docs", "/openapi.json")  # they tell what can be asked for, and nothing of the party

# What a schema tells of itself.
ABOUT_ITSELF = frozenset({"$schema", "$id", "id", "definitions", "comment"})

# What every action may be answered with.
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": f"What was answered, as it came. The header {MESSAGE_TYPE} says what it is: CALLRESULT with the "
        "payload of the .conf, or CALLERROR with errorCode, errorDescription and errorDetails.",
        "headers": {MESSAGE_TYPE: {"schema": {"enum": ["CALLRESULT", "CALLERROR"]}}},
    },
    202: {"description": "The request was sent. No answer came in time, or none that can be read: detail says which."},
    400: {"description": "The body is no JSON object."},
    404: {"description": "There is no such action, or no such Charge Point is connected."},
    422: {"description": "The payload breaks OCPP, and was not sent. anyway=true sends it all the same."},
    502: {"description": "The connection ended before the answer came."},
}


def application(title: str, description: str, version: str, *, host: str, token: str | None) -> FastAPI:
    """An application without routes of its own. ``host``: where it listens. ``token``: what everybody has to show."""
    app = FastAPI(
        title=title, description=description, version=version, docs_url=None, redoc_url=None, strict_content_type=False
    )
    app.add_exception_handler(Problem, _tell_problem)
    app.add_exception_handler(RequestValidationError, _tell_invalid)
    app.middleware("http")(_guard(token))
    if is_loopback(host):
        # A page on the Internet whose name suddenly leads to this machine (DNS rebinding) is told by its name.
        allowed = [*LOOPBACK_NAMES, f"[{host}]" if ":" in host else host]
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=allowed, www_redirect=False)

    @app.get("/", include_in_schema=False)
    async def root() -> RedirectResponse:
        return RedirectResponse("/docs")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        """Of our own: the pages that FastAPI offers load their scripts from the Internet."""
        policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"
        return HTMLResponse(_page(app.openapi()), headers={"Content-Security-Policy": policy})

    return app


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine can get there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _guard(token: str | None) -> Callable[[Request, Callable[[Request], Awaitable[Response]]], Awaitable[Response]]:
    async def guard(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        origin = request.headers.get("origin")
        # Browsers name the page that sends a request (RFC 6454): no page of somebody else may.
        if origin is not None and origin != f"{request.url.scheme}://{request.headers.get('host')}":
            return _problem(HTTPStatus.FORBIDDEN, "a page of another origin may not ask for anything here")
        if token is not None and request.url.path not in OPEN_PATHS:
            shown = request.headers.get("authorization", "")
            if not hmac.compare_digest(shown.encode(), f"Bearer {token}".encode()):
                return _problem(HTTPStatus.UNAUTHORIZED, "Authorization: Bearer TOKEN is missing, or another token")
        return await go_on(request)

    return guard


def _problem(status: int, detail: str) -> JSONResponse:
    headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else None
    return JSONResponse({"detail": hidden(detail)}, status, headers)


async def _tell_problem(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)
    return _problem(problem.status_code, str(problem.detail))


async def _tell_invalid(_: Request, invalid: Exception) -> Response:
    # Without the value: it may be a secret.
    assert isinstance(invalid, RequestValidationError)
    found = [f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in invalid.errors()]
    return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, "; ".join(found))


# Actions


async def payload_of(request: Request) -> Payload:
    """The JSON object of a body; an empty body is an empty object. Raises ``HTTPException``."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_BODY:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body has more than {LONGEST_BODY} bytes")
    if not body.strip():
        return {}
    try:
        payload = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"the body is no JSON: {error}") from None
    if not isinstance(payload, dict):
        raise HTTPException(HTTPStatus.BAD_REQUEST, "the body is no JSON object, as an OCPP payload is")
    return payload


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON (RFC 8259, 6)")


def check_payload(action: str, payload: Payload) -> None:
    """Raises ``HTTPException`` for what OCPP does not allow in a request."""
    if found := severe(faults(action, "req", payload)):
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"{action}.req: {'; '.join(map(str, found))}")


def check_object(wanted: Mapping[str, Any], payload: Payload) -> None:
    """Raises ``HTTPException`` for what is not as a JSON schema has it."""
    found = [
        f"{'.'.join(map(str, error.instance_path)) or 'the body'}: {error.message}"
        for error in jsonschema_rs.validator_for(dict(wanted)).iter_errors(payload)
    ]
    if found:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "; ".join(found))


async def outcome(call: Awaitable[Payload]) -> Response:
    """What has become of a request that is sent."""
    try:
        conf = await call
    except Refused as refusal:
        error = {
            "errorCode": refusal.code,
            "errorDescription": refusal.description,
            "errorDetails": refusal.details,
        }
        return JSONResponse(error, headers={MESSAGE_TYPE: "CALLERROR"})
    except Disconnected as failure:
        raise HTTPException(HTTPStatus.BAD_GATEWAY, str(failure)) from None
    except CallFailed as failure:
        return JSONResponse({"detail": str(failure)}, HTTPStatus.ACCEPTED)
    except LocalMisuse as misuse:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, str(misuse)) from None
    return JSONResponse(conf, headers={MESSAGE_TYPE: "CALLRESULT"})


def request_body(wanted: Mapping[str, Any], optional: Collection[str] = ()) -> dict[str, Any]:
    """What OpenAPI is told of a body with a JSON schema; ``optional`` may be left out all the same."""
    told = _whole(wanted, wanted.get("definitions", {}))
    told["required"] = [name for name in told.get("required", []) if name not in optional]
    content = {"application/json": {"schema": told, "example": example(told)}}
    return {"requestBody": {"content": content, "required": bool(told["required"])}}


def _whole(part: Any, definitions: Mapping[str, Any]) -> Any:
    """A schema with its definitions where they are used: in the middle of OpenAPI nobody would find them."""
    if isinstance(part, list):
        return [_whole(each, definitions) for each in part]
    if not isinstance(part, Mapping):
        return part
    if "$ref" in part:
        return _whole(definitions[str(part["$ref"]).rpartition("/")[2]], definitions)
    return {name: _whole(value, definitions) for name, value in part.items() if name not in ABOUT_ITSELF}


def request_schema(action: str) -> Mapping[str, Any]:
    """The JSON schema of a request of OCPP."""
    return schema(action, "req")


def example(wanted: Mapping[str, Any]) -> Any:
    """A value to begin with: what must be there, and nothing else."""
    if "enum" in wanted:
        return wanted["enum"][0]
    match wanted.get("type"):
        case "object":
            properties = wanted.get("properties", {})
            return {name: example(properties[name]) for name in wanted.get("required", [])}
        case "array":
            return [example(wanted["items"])]
        case "integer" | "number":
            return 1
        case "boolean":
            return True
    match wanted.get("format"):
        case "date-time":
            return timestamp()
        case "uri":
            return "ftp://127.0.0.1/file"
    return "text"


def words_of(name: str) -> str:
    """An action in words: ``RemoteStartTransaction`` is Remote start transaction."""
    spaced = re.sub("(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ")
    return spaced[:1].upper() + spaced[1:].lower()


# The page


def _page(told: dict[str, Any]) -> str:
    template = Environment(autoescape=True).from_string((files("ocppj") / "http_docs.html.j2").read_text("utf-8"))
    operations = [
        {"method": method.upper(), "path": path, **operation}
        for path, methods in told["paths"].items()
        for method, operation in methods.items()
    ]
    named = told.get("components", {}).get("schemas", {})
    return template.render(info=told["info"], operations=[_shown(each, named) for each in operations])


def _shown(operation: dict[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return operation
    wanted = _whole(content["schema"], named)
    body = content.get("example", {})
    return {**operation, "body": json.dumps(body, indent=2), "schema": json.dumps(wanted, indent=2)}


# Serving


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 is any that is free. Raises ``OSError``."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


class _Server(uvicorn.Server):
    """One that leaves the signals to the party in whose loop it runs."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: FastAPI, listening: socket.socket) -> AsyncIterator[None]:
    """Serve in the running loop, until the end of the block; the socket is closed with it."""
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await task
        listening.close()
