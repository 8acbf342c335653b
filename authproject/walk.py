"""In which order all operations of the API can be sent, and what of an answer the later ones need."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


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
    """Every operation that there is: first and last those that need others before or after them; in between, your own
    too."""
    operations = {
        operation["operationId"]: (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    named = {step.operation for step in (*BEGINNING, *END)}
    others = (Step(name) for name in operations if name not in named)
    for step in (*BEGINNING, *others, *END):
        if step.operation in operations:
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
