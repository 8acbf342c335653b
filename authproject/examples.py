"""The examples of /openapi.json: what was said in a conversation with this server, to which
tests/test_schema_examples.py holds it. What stands in examples.json is never edited; the test writes it."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from accounts.conf import conf

FILE = Path(__file__).with_suffix(".json")
JSON = "application/json"
Json = dict[str, Any]

# Where an answer that is the same for many operations is an example: by method, path and operation.
WHERE: dict[str, Callable[[str, str, Json], bool]] = {
    "anywhere": lambda method, path, operation: True,
    "to a request with a body": lambda method, path, operation: "415" in operation["responses"],
    "to a request that changes something": lambda method, path, operation: method != "get",
    "where a token is needed": lambda method, path, operation: {"bearer": []} in operation["security"],
    "where the role admin is needed": lambda method, path, operation: operation.get("x-required-roles") == ["admin"],
    "where one thing is named": lambda method, path, operation: "{" in path,
    "where there are pages": lambda method, path, operation: "page" in _parameters(operation),
}


def put_in(result: Json, generator: Any, request: Any, public: bool) -> Json:
    """A postprocessing hook of drf-spectacular: gives every operation those that were recorded for it, and of the
    common ones those that fit. Your own operations get the latter."""
    said = [step for step in json.loads(FILE.read_text()) if _is_delivered_so(step)]
    common = [step for step in said if "where" in step]
    result["components"]["examples"] = {key_of(step): _example(step, step["answer"]) for step in common}
    for method, path, operation in _operations(result):
        _describe(operation, [step for step in said if step.get("operation") == operation["operationId"]])
        for step in common:
            if WHERE[step["where"]](method, path, operation):
                _add_common(operation, step)
    return result


def key_of(step: Json) -> str:
    """'No token was sent.' as `no_token_was_sent`."""
    return re.sub(r"\W+", "_", step["says"].lower()).strip("_")


def _is_delivered_so(step: Json) -> bool:
    """Where tokens go, TOKEN_DELIVERY says; most that is said does not depend on it."""
    return step.get("tokens", "any") in ("any", "in the body" if conf.delivers_in_body else "in cookies")


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield method, path, operation


def _parameters(operation: Json) -> dict[str, Json]:
    return {found["name"]: found for found in operation.get("parameters", ()) if found["in"] != "header"}


def _describe(operation: Json, said: list[Json]) -> None:
    for step in said:
        is_done = step["status"] < 400
        if is_done and "request" in step:
            _examples_of(operation["requestBody"]["content"][JSON])[key_of(step)] = _example(step, step["request"])
        if is_done:
            _show_parameters(operation, step)
        for kind, media in operation["responses"][str(step["status"])].get("content", {}).items():
            if kind != "text/html":
                _examples_of(media)[key_of(step)] = _example(step, step["answer"])


def _show_parameters(operation: Json, step: Json) -> None:
    """Those in the path only: one in a query would be filled in by whoever tries the operation from its page."""
    for name, value in step.get("path", {}).items():
        _parameters(operation)[name].setdefault("example", str(value))


def _add_common(operation: Json, step: Json) -> None:
    """Unless that status has a body of its own here."""
    media = operation["responses"].get(str(step["status"]), {}).get("content", {}).get(JSON, {})
    if media.get("schema") == {"$ref": "#/components/schemas/Error"}:
        _examples_of(media)[key_of(step)] = {"$ref": f"#/components/examples/{key_of(step)}"}


def _examples_of(media: Json) -> Json:
    return media.setdefault("examples", {})


def _example(step: Json, value: Any) -> Json:
    return {"summary": step["says"], "value": value}
