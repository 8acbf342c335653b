"""/openapi.json is valid, names all that is mounted and nothing else, and says who may call it as the routes do.

That the answers are as it says, tests/conftest.py looks at in every test; that requests are, tests/test_fuzzing.py.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.http import HttpResponse, JsonResponse
from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.validation import validate_schema
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.viewsets import ModelViewSet, ViewSet

from accounts.models import Role
from accounts.permissions import HasRole
from accounts.routes import routes
from authproject import schema
from tests import conftest
from tests.conformity import complaint
from tests.live import Server

pytestmark = pytest.mark.no_database

DESCRIBED = schema.generate()
OPERATIONS = {
    (method.upper(), path): operation
    for path, operations in DESCRIBED["paths"].items()
    for method, operation in operations.items()
}
# The Django admin's pages are for people.
ROUTES = {
    (method, route.path.replace("{pk}", "{id}")): route
    for route in routes()
    if route.path != "/admin/…"
    for method in route.methods
}


# --- how it is served


def test_everyone_gets_it_as_json_and_may_keep_it_for_a_while(api: APIClient) -> None:
    response = api.get("/openapi.json")
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    assert response["Cache-Control"] == "public, max-age=300"
    assert response.json()["paths"].keys() == DESCRIBED["paths"].keys()


def test_it_is_worked_out_once(api: APIClient) -> None:
    assert schema.document() is schema.document()


def test_it_is_valid_openapi_3_1(api: APIClient) -> None:
    document = api.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    validate_schema(document)


def test_no_view_leaves_it_guessing(tmp_path: Path) -> None:
    call_command("spectacular", file=str(tmp_path / "openapi.yaml"), validate=True, fail_on_warn=True)


# --- what it names


def test_it_names_every_route_and_nothing_else() -> None:
    assert OPERATIONS.keys() == ROUTES.keys()


@pytest.mark.parametrize("call", OPERATIONS, ids=" ".join)
def test_every_operation_says_what_it_does(call: tuple[str, str]) -> None:
    assert OPERATIONS[call].get("summary")


@pytest.mark.parametrize(
    ("call", "summary"),
    [
        (("GET", "/api/users"), "Lists users"),
        (("GET", "/api/audit/{id}"), "Shows one audit entry"),
        (("DELETE", "/api/roles/{id}"), "Deletes one role"),
        (("DELETE", "/api/users/{id}"), "Deactivates: everything is kept, and nothing works"),
    ],
)
def test_drfs_own_actions_are_named_by_what_is_listed_and_shown_unless_the_view_has_words(
    call: tuple[str, str], summary: str
) -> None:
    assert OPERATIONS[call]["summary"] == summary


def test_every_operation_has_an_id_of_its_own() -> None:
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (("POST", "/api/auth/signin"), "auth_signin"),
        (("PATCH", "/api/users/{id}"), "user_partial_update"),
        (("DELETE", "/api/users/{id}/roles/{role_name}"), "user_revoke_role"),
        (("GET", "/api/test/mod"), "board_mod"),
        (("GET", "/"), "welcome_welcome"),
    ],
)
def test_an_operation_is_called_as_in_the_code(call: tuple[str, str], name: str) -> None:
    assert OPERATIONS[call]["operationId"] == name


# --- who may call


def who(operation: dict[str, Any]) -> str:
    """In the words of the routes."""
    if operation["security"] in ([{}], [{"metrics": []}]):
        return "anyone" if operation["security"] == [{}] else "HoldsMetricsToken"
    if "x-required-roles" not in operation:
        return operation["description"].rpartition("For: ")[2].removesuffix(".")
    return f"role {' or '.join(operation['x-required-roles'])}" if operation["x-required-roles"] else "signed in"


@pytest.mark.parametrize("call", ROUTES, ids=" ".join)
def test_who_may_call_is_as_the_routes_say(call: tuple[str, str]) -> None:
    assert who(OPERATIONS[call]) == ROUTES[call].who
    assert OPERATIONS[call]["description"].endswith(f"For: {ROUTES[call].who}.")


class Board(ViewSet):
    def list(self, request: Request) -> Response:
        return Response()


def described(*permissions: Any) -> dict[str, Any]:
    """The operation of a view with those permissions."""
    view: Any = extend_schema(responses={204: None})(type("Board", (Board,), {}))
    patterns = [path("board", view.as_view({"get": "list"}, permission_classes=permissions))]
    return SchemaGenerator(patterns=patterns).get_schema(public=True)["paths"]["/board"]["get"]


@pytest.mark.parametrize(
    ("permissions", "roles"),
    [
        ([AllowAny], []),
        ([IsAuthenticated], []),
        ([HasRole("editor")], ["editor"]),
        ([IsAuthenticated, HasRole("editor", "author")], ["editor", "author"]),
        ([HasRole("editor"), HasRole("author")], None),
        ([HasRole("editor") & HasRole("author")], None),
        ([IsAuthenticated & ~HasRole("banned")], None),
    ],
)
def test_required_roles_are_told_where_any_one_of_them_is_enough(
    permissions: list[type[BasePermission]], roles: list[str] | None
) -> None:
    assert described(*permissions).get("x-required-roles") == roles


def test_what_is_more_involved_is_told_in_words() -> None:
    words = described(IsAuthenticated & ~HasRole("banned"))["description"]
    assert words == "For: (signed in and not role banned)."


class Boards(ModelViewSet[Role]):
    """With nothing but what DRF brings."""

    queryset = Role.objects.all()
    permission_classes = [AllowAny]


def test_every_answer_has_its_headers_a_deletion_by_drf_too() -> None:
    patterns = [path("board/<int:pk>", Boards.as_view({"delete": "destroy"}))]
    answers = SchemaGenerator(patterns=patterns).get_schema(public=True)["paths"]["/board/{id}"]["delete"]["responses"]
    assert [status for status, answer in answers.items() if "X-Request-ID" not in answer["headers"]] == []


def test_a_token_may_come_in_any_of_three_places() -> None:
    schemes = DESCRIBED["components"]["securitySchemes"]
    assert OPERATIONS["GET", "/api/users"]["security"] == [{"header": []}, {"bearer": []}, {"cookie": []}]
    assert (schemes["header"]["name"], schemes["cookie"]["name"]) == ("x-access-token", "access_token")


# --- how it refuses


@pytest.mark.parametrize("call", OPERATIONS, ids=" ".join)
def test_every_error_is_json_with_a_message(call: tuple[str, str]) -> None:
    errors = [answer for status, answer in OPERATIONS[call]["responses"].items() if status >= "400"]
    shapes = {answer["content"]["application/json"]["schema"]["$ref"] for answer in errors}
    assert shapes <= {f"#/components/schemas/{name}" for name in ("Error", "SignInError", "Readiness")}
    assert DESCRIBED["components"]["schemas"]["Error"]["required"] == ["message"]


@pytest.mark.parametrize(
    ("call", "statuses"),
    [
        (("GET", "/api/test/all"), "200 400 500 503"),
        (("GET", "/api/test/mod"), "200 400 401 403 500 503"),
        (("GET", "/api/users"), "200 400 401 403 404 500 503"),
        (("POST", "/api/users"), "201 400 401 403 413 415 500 503"),
        (("DELETE", "/api/roles/{id}"), "204 400 401 403 404 409 500 503"),
        (("POST", "/api/auth/signin"), "200 400 401 403 404 413 415 429 500 503"),
        (("POST", "/api/auth/signout"), "200 400 500 503"),
    ],
)
def test_an_operation_names_what_can_become_of_it(call: tuple[str, str], statuses: str) -> None:
    assert " ".join(OPERATIONS[call]["responses"]) == statuses


def test_who_asks_too_often_is_told_how_long_to_wait() -> None:
    answers = [answer for operation in OPERATIONS.values() for answer in operation["responses"].items()]
    assert {answer["headers"]["Retry-After"]["required"] for status, answer in answers if status == "429"} == {True}


# --- what the settings and the policy say


def shape(name: str, document: dict[str, Any] = DESCRIBED) -> dict[str, Any]:
    return document["components"]["schemas"][name]["properties"]


def test_where_cookies_are_delivered_the_body_holds_no_token(settings: LazySettings) -> None:
    settings.TOKEN_DELIVERY = "cookie"
    document = schema.generate()
    assert shape("SignedIn", document).keys() == {"id", "username", "email", "roles"}
    assert shape("Refreshed", document).keys() == {"message"}


def test_where_the_body_is_delivered_it_holds_both_tokens() -> None:
    assert shape("SignedIn").keys() >= {"accessToken", "refreshToken"}
    assert shape("Refreshed").keys() == {"accessToken", "refreshToken"}


@pytest.mark.parametrize("length", [7, 8, 256, 257])
@pytest.mark.django_db
def test_a_password_may_be_as_short_and_as_long_as_it_says(api: APIClient, length: int) -> None:
    limits = shape("SignUpRequest")["password"]
    password = ("correct horse battery " * 12)[:length]
    answer = api.post("/api/auth/signup", {"username": "bob", "email": "bob@example.com", "password": password})
    assert answer.status_code == (200 if limits["minLength"] <= length <= limits["maxLength"] else 400)


# --- the look that tests/conftest.py has at every answer finds what is wrong

MESSAGE = {"message": "Done."}


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (JsonResponse(MESSAGE), ""),
        (JsonResponse(MESSAGE, status=418), "418 is not among 200, 400, 403, 413, 415, 429, 500, 503"),
        (JsonResponse({}), '[]: "message" is a required property'),
        (JsonResponse({"message": None}), "['message']: null is not of type \"string\""),
        (
            JsonResponse({**MESSAGE, "a": 1}),
            "[]: Additional properties are not allowed ('a' was unexpected)",
        ),
        (HttpResponse("Done."), "text/html is not among application/json"),
        (JsonResponse(MESSAGE, status=429), "there is no Retry-After"),
        (JsonResponse(MESSAGE, status=429, headers={"Retry-After": "7"}), ""),
        (JsonResponse(MESSAGE, status=429, headers={"Retry-After": "soon"}), "Retry-After is soon"),
    ],
    ids=[
        *("right", "status", "field missing", "null", "field too many", "media type"),
        *("header missing", "header there", "header that is none"),
    ],
)
def test_an_answer_that_is_not_as_described_is_found(answer: Any, found: str) -> None:
    answer.json = lambda: json.loads(answer.content)
    assert complaint("POST", "/api/auth/signup", answer, "body") == found


def test_a_body_where_none_is_described_is_found() -> None:
    assert complaint("DELETE", "/api/roles/7", HttpResponse("gone", status=204), "body") == "there is a body"


def test_what_is_not_described_is_not_judged() -> None:
    assert complaint("GET", "/api/nowhere", HttpResponse(status=418), "body") == ""
    assert complaint("PUT", "/api/roles/7", HttpResponse(status=418), "body") == ""


def test_an_answer_of_a_real_server_is_looked_at_too(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conftest, "complaint", lambda *asked: f"{asked[0]} {asked[1]}, {asked[3]}")
    with server.client() as client, pytest.raises(pytest.fail.Exception, match="GET /health/live, body"):
        client.get("/health/live")
