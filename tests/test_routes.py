"""The map of who may call what says what really happens, and nothing is open by accident."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.checks import CheckMessage, Error
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from rest_framework.decorators import api_view, permission_classes
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from accounts import sessions
from accounts.checks import check_routes
from accounts.models import Action, Actor, AuditEntry, Role, User
from accounts.permissions import HasRole
from accounts.routes import Route, describe, routes

pytestmark = pytest.mark.no_database

# --- what the map says is what happens

NOBODY = "nobody"
ROLES = ("user", "moderator", "admin")
DJANGO_ADMIN = "/admin/…"
# Which asks for a token of its own: tests/test_metrics.py.
METRICS = "/metrics"
# What the paths of an app that is added to these need, nobody knows here.
OURS = [
    route
    for route in routes()
    if route.view.startswith(("authproject.", "accounts.", "content.")) and route.path != METRICS
]
CALLS = [(route, method) for route in OURS for method in route.methods]


def expected(route: Route, role: str) -> tuple[int, str] | None:
    """How the caller is refused, None for not at all."""
    if route.who == "anyone":
        return None
    if role == NOBODY:
        return 403, "No token provided!"
    wanted = route.who.removeprefix("role ")
    return None if route.who == "signed in" or role == wanted else (403, f"Require {wanted.capitalize()} Role!")


def refusal(response: Any) -> tuple[int, str] | None:
    """How the caller was refused for who they are; other errors, such as a bad body, mean that they were let in."""
    message = response.json()["message"] if response.status_code >= 400 else ""
    for_who_they_are = response.status_code == 401 or message == "No token provided!" or message.startswith("Require ")
    return (response.status_code, message) if for_who_they_are else None


def user_holding(name: str, role: str) -> User:
    return User.objects.create_user(name, f"{name}@example.com", roles=Role.objects.filter(name=role))


@pytest.fixture
def objects(db: None) -> dict[str, Any]:
    """What the paths' parameters name: each of it there, so that only who is calling can be in the way."""
    somebody = user_holding("somebody", "moderator")
    session = sessions.open(user=somebody, client=Actor())[0]
    entry = AuditEntry.objects.record(Action.SIGNED_UP, by=Actor())
    role = Role.objects.create(name="editor")
    pks = {"/api/users": somebody.pk, "/api/roles": role.pk, "/api/audit": entry.pk}
    return {"pks": pks, "role_name": "moderator", "session_id": session.id}


def real(route: Route, objects: dict[str, Any]) -> str:
    pk = next((pk for prefix, pk in objects["pks"].items() if route.path.startswith(prefix)), "")
    return route.path.format(**{**objects, "pk": pk})


@pytest.mark.parametrize("role", [NOBODY, *ROLES])
@pytest.mark.parametrize(("route", "method"), CALLS, ids=[f"{method} {route.path}" for route, method in CALLS])
def test_who_may_call_a_route_is_as_the_map_says(objects: dict[str, Any], route: Route, method: str, role: str) -> None:
    headers = {}
    if role != NOBODY:
        pair = sessions.open(user=user_holding("caller", role), client=Actor())[1]
        headers = {"x-access-token": pair.access}
    response = APIClient(headers=headers).generic(method, real(route, objects), "{}", "application/json")
    assert refusal(response) == expected(route, role)


@pytest.mark.parametrize("role", [NOBODY, *ROLES])
def test_the_django_admin_is_for_admins_as_the_map_says(db: None, client: Client, role: str) -> None:
    if role != NOBODY:
        client.force_login(user_holding("caller", role))
    assert client.get("/admin/").status_code == (200 if role == "admin" else 302)


@pytest.mark.parametrize(("route", "method"), CALLS, ids=[f"{method} {route.path}" for route, method in CALLS])
def test_a_route_answers_no_method_that_the_map_does_not_name(
    objects: dict[str, Any], route: Route, method: str
) -> None:
    pair = sessions.open(user=user_holding("caller", "admin"), client=Actor())[1]
    client = APIClient(headers={"x-access-token": pair.access})
    others = {"GET", "POST", "PUT", "PATCH", "DELETE"} - set(route.methods)
    answers = {other: client.generic(other, real(route, objects)).status_code for other in others}
    refused = 403 if route.path == "/api/test/mod" else 405
    assert set(answers.values()) == {refused}


def test_the_command_prints_every_route_with_its_methods_and_roles(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("routes")
    printed = [line.split(maxsplit=line.count(",") + 2) for line in capsys.readouterr().out.splitlines()]
    rows = [(" ".join(words[:-2]), words[-2], words[-1]) for words in printed]
    assert rows == [(", ".join(route.methods), route.path, route.who) for route in routes()]


@pytest.mark.parametrize(
    "row",
    [
        ("GET, PATCH, DELETE", "/api/users/{pk}", "role admin"),
        ("DELETE", "/api/users/{pk}/roles/{role_name}", "role admin"),
        ("GET, PATCH", "/api/auth/me", "signed in"),
        ("POST", "/api/auth/signin", "anyone"),
        ("GET", "/api/test/mod", "role moderator"),
        ("GET, POST", DJANGO_ADMIN, "role admin"),
    ],
)
def test_the_map_holds_what_one_knows_of_it(row: tuple[str, str, str]) -> None:
    assert row in [(", ".join(route.methods), route.path, route.who) for route in routes()]


# --- nothing is open by accident


class Silent(APIView):
    """Says nothing of who may call it: what holds is the setting's default."""

    def get(self, request: Request) -> Response:
        return Response()


class Open(Silent):
    permission_classes = [AllowAny]


class ForAdmins(Silent):
    permission_classes = [HasRole("admin")]


class Inherits(ForAdmins):
    pass


class Empty(Silent):
    permission_classes = []


class Hidden(ForAdmins):
    """What it says is not what it does."""

    def get_permissions(self) -> Any:
        return []


class SilentSet(ViewSet):
    def list(self, request: Request) -> Response:
        return Response()


@api_view(["GET"])
def silent_function(request: Request) -> Response:
    return Response()


@api_view(["GET"])
@permission_classes([IsAuthenticated, HasRole("user", "admin")])
def outspoken_function(request: Request) -> Response:
    return Response()


def plain_function(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns: list[Any] = []
Mounted = Callable[..., tuple[list[Route], list[CheckMessage]]]


@pytest.fixture
def mounted(monkeypatch: pytest.MonkeyPatch) -> Mounted:
    """Routes and complaints of a project that has just these routes."""

    def mounted(*patterns: Any) -> tuple[list[Route], list[CheckMessage]]:
        monkeypatch.setitem(globals(), "urlpatterns", list(patterns))
        with override_settings(ROOT_URLCONF=__name__):
            return list(routes()), check_routes()

    return mounted


UNDECLARED = [
    (Silent.as_view(), "tests.test_routes.Silent"),
    (SilentSet.as_view({"get": "list"}), "tests.test_routes.SilentSet"),
    (Empty.as_view(), "tests.test_routes.Empty"),
    (Hidden.as_view(), "tests.test_routes.Hidden"),
    (silent_function, "tests.test_routes.silent_function"),
    (plain_function, "tests.test_routes.plain_function"),
    (RedirectView.as_view(url="/"), "django.views.generic.base.RedirectView"),
]


@pytest.mark.parametrize(("view", "name"), UNDECLARED, ids=[name for _, name in UNDECLARED])
def test_a_view_that_declares_no_permission_is_an_error(mounted: Mounted, view: Any, name: str) -> None:
    text = f"{name}, at /here, does not say who may call it: give it permission_classes, with AllowAny if everyone may."
    assert mounted(path("here", view))[1] == [Error(text, id="accounts.E007")]


@pytest.mark.parametrize(
    ("view", "who"),
    [
        (Open.as_view(), "anyone"),
        (ForAdmins.as_view(), "role admin"),
        (Inherits.as_view(), "role admin"),
        (Silent.as_view(permission_classes=[IsAuthenticated]), "signed in"),
        (SilentSet.as_view({"get": "list"}, permission_classes=[AllowAny]), "anyone"),
        (outspoken_function, "signed in and role user or admin"),
    ],
)
def test_a_view_that_declares_its_permission_is_fine(mounted: Mounted, view: Any, who: str) -> None:
    [route], complaints = mounted(path("here", view))
    assert (route.who, route.methods, complaints) == (who, ("GET",), [])


def test_an_undeclared_view_deep_inside_is_found(mounted: Mounted) -> None:
    inner = [path("<int:pk>/<name>", Silent.as_view())]
    found, complaints = mounted(re_path("^outer/", include([path("inner/", include(inner))])))
    assert [route.path for route in found] == ["/outer/inner/{pk}/{name}"]
    assert [complaint.id for complaint in complaints] == ["accounts.E007"]


def test_an_app_that_calls_itself_admin_is_looked_into_all_the_same(mounted: Mounted) -> None:
    complaints = mounted(path("mine/", include(([path("here", Silent.as_view())], "admin"))))[1]
    assert [complaint.id for complaint in complaints] == ["accounts.E007"]


def test_the_projects_own_routes_are_all_declared() -> None:
    assert check_routes() == []


# --- in words


@pytest.mark.parametrize(
    ("permission", "words"),
    [
        (AllowAny, "anyone"),
        (IsAuthenticated, "signed in"),
        (HasRole("moderator"), "role moderator"),
        (HasRole("moderator", "admin"), "role moderator or admin"),
        (HasRole("moderator") | HasRole("admin"), "(role moderator or role admin)"),
        (IsAuthenticated & ~HasRole("user"), "(signed in and not role user)"),
        (~(HasRole("user") & HasRole("admin")), "not (role user and role admin)"),
        ((HasRole("a") | HasRole("b")) & IsAuthenticated, "((role a or role b) and signed in)"),
    ],
)
def test_a_permission_is_described_in_words(permission: Any, words: str) -> None:
    assert describe(permission) == words
