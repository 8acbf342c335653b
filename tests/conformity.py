"""Whether an answer is as /openapi.json says: its status, its headers, its media type, and its body to the letter."""

import re
from functools import cache
from typing import Any

from django.test import override_settings
from jsonschema_rs import Draft202012Validator

from authproject import schema

JSON = "application/json"


def complaint(method: str, path: str, answer: Any, delivery: str) -> str:
    """What of the answer to `method path` the description under that TOKEN_DELIVERY does not allow; '' where it allows
    all, or says nothing of that route and method. The answer is one of Django's test client or of httpx."""
    described = _answers(delivery, method.lower(), path)
    if not described:
        return ""
    if str(answer.status_code) not in described:
        return f"{answer.status_code} is not among {', '.join(described)}"
    return _complaint(described[str(answer.status_code)], answer)


def _complaint(described: dict[str, Any], answer: Any) -> str:
    for name, header in described["headers"].items():
        if name not in answer.headers:
            if header.get("required"):
                return f"there is no {name}"
        elif not re.search(header["schema"].get("pattern", ""), answer.headers[name]):
            return f"{name} is {answer.headers[name]}"
    media_type = answer.headers.get("Content-Type", "").partition(";")[0]
    if "content" not in described:
        return "there is a body" if answer.content else ""
    if media_type not in described["content"]:
        return f"{media_type} is not among {', '.join(described['content'])}"
    errors = described["validator"].iter_errors(answer.json()) if media_type == JSON else ()
    return "; ".join(f"{list(error.instance_path)}: {error.message}" for error in errors)


@cache
def _answers(delivery: str, method: str, path: str) -> dict[str, Any]:
    """What is described for that request, by status."""
    for pattern, operations in _paths(delivery):
        if pattern.fullmatch(path):
            return operations.get(method, {})
    return {}


@cache
def _paths(delivery: str) -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    with override_settings(TOKEN_DELIVERY=delivery):
        document = schema.generate()
    described = document["paths"].items()
    return [
        (
            re.compile(re.sub(r"\{\w+\}", "[^/]+", path)),
            {method: _with_validators(operation["responses"], document) for method, operation in operations.items()},
        )
        for path, operations in described
    ]


def _with_validators(answers: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    return {status: {**answer, **_validator(answer, document)} for status, answer in answers.items()}


def _validator(answer: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    body = answer.get("content", {}).get(JSON)
    if not body:
        return {}
    components = strict({"components": document["components"]})
    return {"validator": Draft202012Validator({**strict(body["schema"]), **components}, validate_formats=True)}


def strict(schema: Any) -> Any:
    """Without room for fields that are not described."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {"additionalProperties": False} if "properties" in schema else {}
    return {name: strict(part) for name, part in schema.items()} | closed
