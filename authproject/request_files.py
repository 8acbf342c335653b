"""Writes docs/authproject.http and docs/authproject.postman_collection.json: what /openapi.json describes, as requests
to send one after the other, with its examples as their bodies. `script/collections` runs it."""

import json
from collections.abc import Iterator
from pathlib import Path

from authproject.walk import Json, Request, requests

DOCS = Path(__file__).resolve().parent.parent / "docs"
POSTMAN = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
VARIABLES = {
    "base": "http://localhost:8080",
    "admin": "grace",
    "adminPassword": "correct horse battery",
    "metricsToken": "the METRICS_TOKEN of the server",
}


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
