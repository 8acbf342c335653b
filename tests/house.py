"""Which operations are this project's own: what the suite asks of those alone, it does not ask of an app of yours."""

from collections.abc import Iterator
from typing import Any

from accounts.routes import routes

APPS = {"accounts", "authproject", "content"}


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Of a description, those that are ours."""
    paths = {route.path.replace("{pk}", "{id}") for route in routes() if route.view.partition(".")[0] in APPS}
    for path, methods in document["paths"].items():
        if path in paths:
            yield from methods.values()
