"""Writes docs/authproject.http and docs/authproject.postman_collection.json: what /openapi.json describes, as requests
to send one after the other, with its examples as their bodies. `script/collections` runs it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]
DOCS = Path(__file__).resolve().parent.parent / "docs"
POSTMAN = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
VARIABLES = {
    "base": "http://localhost:8080",
    "admin": "grace",
    "adminPassword": "correct horse battery",
    "metricsToken": "the METRICS_TOKEN of the server",
}


@dataclass(frozen=True)
class Step:
    """One operation. `path` and `body` name variables instead of what the example has; `keeps` are variables, and where
    in the answer their values stand; `by` is the variable with the token, where the operation does not say itself."""

    operation: str
    path: Json = field(default_factory=dict)
    body: Json = field(default_factory=dict)
    keeps: dict[str, str] = field(default_factory=dict)
    by: str = ""
    name: str = ""


ADA, BOB, ROLE = {"id": "{{ada}}"}, {"id": "{{bob}}"}, {"id": "{{role}}"}
OF_ADMIN = {"username": "{{admin}}", "password": "{{adminPassword}}"}
BEGINNING = (
    Step("auth_signup"),
    Step("auth_signin", keeps={"token": "accessToken", "refreshToken": "refreshToken", "ada": "id"}),
    *map(Step, ("board_all", "board_user", "own_me", "own_change")),
    Step("auth_refreshtoken", body={"refreshToken": "{{refreshToken}}"}),
    Step("auth_signin", name="auth_signin_elsewhere"),
    Step("own_sessions", keeps={"session": "[0].id"}),
    Step("own_revoke_session", path={"session_id": "{{session}}"}),
    *map(Step, ("own_export", "own_password")),
    Step("auth_signin", name="auth_signin_admin", body=OF_ADMIN, keeps={"adminToken": "accessToken"}),
    Step("user_create", keeps={"bob": "id"}),
    Step("user_list"),
    *(Step(name, BOB) for name in ("user_retrieve", "user_partial_update")),
    *(Step(name, ADA) for name in ("user_grant", "user_roles")),
    Step("board_mod"),
    *(Step(name, ADA) for name in ("user_revoke_role", "user_sessions")),
    *(Step(name, BOB) for name in ("user_revoke_sessions", "user_destroy")),
    Step("board_admin"),
    Step("role_create", keeps={"role": "id"}),
    Step("role_list"),
    *(Step(name, ROLE) for name in ("role_retrieve", "role_partial_update", "role_destroy")),
    Step("audit_list", keeps={"entry": "results[0].id"}),
    Step("audit_retrieve", {"id": "{{entry}}"}),
)
END = (Step("own_delete_me"), Step("auth_signout", by="adminToken"))


@dataclass(frozen=True)
class Request:
    name: str
    title: str
    method: str
    url: str
    by: str
    body: str
    keeps: dict[str, str]


def requests(document: Json) -> Iterator[Request]:
    """Every operation: first and last those that need others before or after them; in between, your own too."""
    operations = {
        operation["operationId"]: (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    named = {step.operation for step in (*BEGINNING, *END)}
    others = (Step(name) for name in operations if name not in named)
    for step in (*BEGINNING, *others, *END):
        yield _request(step, *operations[step.operation])


def _request(step: Step, method: str, path: str, operation: Json) -> Request:
    examples = {found["name"]: found.get("example", 1) for found in operation.get("parameters", ())}
    filled = re.sub(r"\{(\w+)\}", lambda name: str(step.path.get(name[1], examples[name[1]])), path)
    return Request(
        name=step.name or operation["operationId"],
        title=operation.get("summary") or f"{method.upper()} {path}",
        method=method.upper(),
        url="{{base}}" + filled,
        by=_token(operation, step.by),
        body=_body(operation, step.body),
        keeps=step.keeps,
    )


def _token(operation: Json, by: str) -> str:
    of_user = "adminToken" if operation.get("x-required-roles") == ["admin"] else "token"
    known = {"bearer": of_user, "metrics": "metricsToken"}
    return by or next((known[scheme] for one in operation["security"] for scheme in one if scheme in known), "")


def _body(operation: Json, instead: Json) -> str:
    """The first example, with variables in their places; nothing where there is none."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    examples = [example["value"] for example in content.get("examples", {}).values()]
    return json.dumps({**examples[0], **instead}, indent=2, ensure_ascii=False) if examples else ""


HEAD = """# All requests of the API, to send from the first to the last; made from /openapi.json by script/collections.
# On a database without ada and bob, with an admin: manage.py create_user grace grace@example.com --role admin
#
# Variables take what they hold from the answers of named requests, in the syntax of VS Code's REST Client. JetBrains'
# HTTP client reads all but that: there, put the values, such as the token of the sign-in, into the variables by hand.
"""


def as_http(document: Json) -> str:
    """In the syntax of VS Code's REST Client."""
    parts, kept = [HEAD + _defined(VARIABLES)], dict[str, str]()
    for request in requests(document):
        parts.append("\n".join([f"### {request.title}", *_lines(request, kept)]) + "\n")
        found = request.keeps.items()
        kept = {name: f"{{{{{request.name}.response.body.{_json_path(where)}}}}}" for name, where in found}
    return "\n".join(parts)


def _lines(request: Request, kept: dict[str, str]) -> Iterator[str]:
    if kept:
        yield _defined(kept)
    yield from (f"# @name {request.name}", f"{request.method} {request.url}")
    if request.by:
        yield f"Authorization: Bearer {{{{{request.by}}}}}"
    if request.body:
        yield from ("Content-Type: application/json", "", request.body)


def _defined(variables: dict[str, str]) -> str:
    return "".join(f"@{name} = {value}\n" for name, value in variables.items())


def _json_path(where: str) -> str:
    return f"${where}" if where.startswith("[") else f"$.{where}"


def as_postman(document: Json) -> str:
    """A collection of version 2.1."""
    collection = {
        "info": {"name": document["info"]["title"], "schema": POSTMAN},
        "item": [_item(request) for request in requests(document)],
        "variable": [{"key": name, "value": value} for name, value in VARIABLES.items()],
    }
    return json.dumps(collection, indent=1, ensure_ascii=False) + "\n"


def _item(request: Request) -> Json:
    path = request.url.removeprefix("{{base}}/")
    asked: Json = {"method": request.method, "url": {"raw": request.url, "host": ["{{base}}"], "path": path.split("/")}}
    if request.by:
        asked["auth"] = {"type": "bearer", "bearer": [{"key": "token", "value": f"{{{{{request.by}}}}}"}]}
    if request.body:
        asked["body"] = {"mode": "raw", "raw": request.body, "options": {"raw": {"language": "json"}}}
    script = ['pm.test("It is done", () => pm.expect(pm.response.code).to.be.below(400));', *_keeping(request)]
    event = {"listen": "test", "script": {"type": "text/javascript", "exec": script}}
    return {"name": request.title, "event": [event], "request": asked}


def _keeping(request: Request) -> Iterator[str]:
    for name, where in request.keeps.items():
        found = f"pm.response.json(){where if where.startswith('[') else '.' + where}"
        yield f"pm.collectionVariables.set({json.dumps(name)}, {found});"


FILES = {DOCS / "authproject.http": as_http, DOCS / "authproject.postman_collection.json": as_postman}


def main() -> None:
    import django

    django.setup()
    from authproject import schema

    document = schema.generate()
    for path, made in FILES.items():
        path.write_text(made(document))


if __name__ == "__main__":
    main()
