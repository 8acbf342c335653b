"""The Django admin at /admin/: who gets in, and what can be done there with users, roles and sessions."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags
from rest_framework.test import APIClient

from accounts import services
from accounts.errors import LastAdmin
from accounts.models import Actor, Role, Session, User
from tests import live
from tests.conftest import PASSWORD

MakeUser = Callable[..., User]
SignIn = Callable[..., dict[str, Any]]
Response = Any  # django-stubs has no public name for what its test client gives
NEW_PASSWORD = "staple battery horse"
USERS, ROLES, SESSIONS = "/admin/accounts/user/", "/admin/accounts/role/", "/admin/accounts/session/"
AUDIT = "/admin/accounts/auditentry/"


def sign_in_to_admin(username: str, password: str = PASSWORD) -> tuple[Client, Response]:
    """A browser, and what it saw after it sent the sign-in form."""
    browser = Client(raise_request_exception=False)
    return browser, browser.post("/admin/login/", {"username": username, "password": password})


def is_in(browser: Client) -> bool:
    """Whether the admin opens; else it sends to its sign-in form."""
    response = browser.get("/admin/")
    assert response.status_code == 200 or response["Location"] == "/admin/login/?next=/admin/"
    return response.status_code == 200


@pytest.fixture
def admin(make_user: MakeUser) -> Client:
    """A browser that is signed in to the admin."""
    make_user("root", "admin")
    return sign_in_to_admin("root")[0]


def page(response: Response) -> str:
    return response.content.decode()


def errors(response: Response) -> list[str]:
    """What a form that was not saved complains about."""
    lists = re.findall(r'<ul class="errorlist.*?</ul>', page(response), re.DOTALL)
    return [unescape(strip_tags(item)) for item in re.findall(r"<li>.*?</li>", "".join(lists), re.DOTALL)]


def names(response: Response) -> list[str]:
    """The first column of a list."""
    return re.findall(r'<th class="field-[^"]+"><a [^>]*>([^<]*)</a>', page(response))


def role_id(name: str) -> int:
    return Role.objects.get(name=name).pk


def crowd(size: int) -> None:
    """Without roles or passwords, and made at once."""
    people = (User(username=f"user{number}", email=f"user{number}@example.com") for number in range(size))
    User.objects.bulk_create(people)


def user_form(username: str = "alice", *roles: str, **fields: str) -> dict[str, Any]:
    """The user page as a browser sends it."""
    chosen = [role_id(name) for name in roles]
    return {"username": username, "email": f"{username}@example.com", "is_active": "on", "held_roles": chosen, **fields}


def new_user_form(username: str = "alice", *roles: str, password: str = PASSWORD) -> dict[str, Any]:
    return user_form(username, *roles, password1=password, password2=password)


# --- who gets in


def test_who_holds_the_role_admin_gets_in(make_user: MakeUser) -> None:
    make_user("root", "admin")
    browser, response = sign_in_to_admin("root")
    assert (response.status_code, is_in(browser)) == (302, True)


def test_whoever_is_refused_reads_the_same_page(make_user: MakeUser) -> None:
    pages = [sign_in_to_admin("alice")[1]]
    alice = make_user("alice", "admin")
    pages.append(sign_in_to_admin("alice", "wrong")[1])
    User.objects.update(is_active=False)
    pages.append(sign_in_to_admin("alice")[1])
    User.objects.update(is_active=True)
    alice.roles.set([role_id("moderator")])
    pages.append(sign_in_to_admin("alice")[1])
    without_token = {re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page(response)) for response in pages}
    assert len(without_token) == 1
    assert "Please enter the correct username and password" in without_token.pop()


def test_whoever_is_refused_is_not_in(make_user: MakeUser) -> None:
    make_user("alice", "moderator")
    assert not is_in(sign_in_to_admin("alice")[0])


def test_the_name_is_found_in_any_spelling_that_is_the_same_name(make_user: MakeUser) -> None:
    make_user("root", "admin")
    assert is_in(sign_in_to_admin("ＲＯＯＴ")[0])


def test_taking_the_role_away_shuts_the_admin_at_the_next_request(admin: Client) -> None:
    User.objects.get(username="root").roles.clear()
    assert not is_in(admin)


def test_deactivating_shuts_the_admin_at_the_next_request(admin: Client) -> None:
    User.objects.update(is_active=False)
    assert not is_in(admin)


def test_a_new_password_shuts_the_admin_at_the_next_request(admin: Client) -> None:
    user = User.objects.get(username="root")
    user.set_password(NEW_PASSWORD)
    user.save()
    assert not is_in(admin)


def test_the_path_without_its_slash_leads_to_the_admin(client: Client) -> None:
    response = client.get("/admin")
    assert (response.status_code, response["Location"]) == (302, "/admin/")


def test_the_server_serves_the_style_sheets_of_the_admin_too(server: live.Server) -> None:
    with server.client() as client:
        response = client.get("/static/admin/css/base.css")
    assert (response.status_code, response.headers["Content-Type"]) == (200, 'text/css; charset="utf-8"')


# --- every page

PAGES = [
    "/admin/",
    "/admin/accounts/",
    "/admin/jsi18n/",
    "/admin/password_change/",
    "/admin/password_change/done/",
    USERS,
    f"{USERS}add/",
    *(f"{USERS}{{user}}/{name}/" for name in ("change", "password", "delete")),
    ROLES,
    f"{ROLES}add/",
    *(f"{ROLES}{{role}}/{name}/" for name in ("change", "history", "delete")),
    SESSIONS,
    *(f"{SESSIONS}{{session}}/{name}/" for name in ("change", "history")),
    AUDIT,
    f"{AUDIT}?subject_id=1",
]


@pytest.fixture
def rows(make_user: MakeUser, sign_in: SignIn) -> dict[str, Any]:
    """A user with a session and a role that is not built in; what the paths in PAGES name."""
    make_user("alice")
    sign_in("alice")
    role = Role.objects.create(name="editor")
    return {"user": user_id("alice"), "role": role.pk, "session": Session.objects.get().pk}


def user_id(username: str) -> int:
    return User.objects.get(username=username).pk


@pytest.mark.parametrize("path", PAGES)
def test_an_admin_may_open_every_page(admin: Client, rows: dict[str, Any], path: str) -> None:
    assert admin.get(path.format(**rows)).status_code == 200


def test_a_users_history_is_in_the_audit_trail(admin: Client, rows: dict[str, Any]) -> None:
    response = admin.get(f"{USERS}{rows['user']}/history/")
    assert (response.status_code, response["Location"]) == (302, f"{AUDIT}?subject_id={rows['user']}")


@pytest.mark.parametrize("path", [path for path in PAGES if path != "/admin/jsi18n/"])
def test_who_is_not_signed_in_sees_none_of_the_pages(client: Client, rows: dict[str, Any], path: str) -> None:
    response = client.get(path.format(**rows))
    assert (response.status_code, response["Location"].partition("?")[0]) == (302, "/admin/login/")


# --- the list of users


@pytest.mark.parametrize("query", ["q=alice", "q=ALICE@EXAMPLE", "is_active__exact=0", "role=moderator"])
def test_users_are_found_by_name_email_state_and_role(admin: Client, make_user: MakeUser, query: str) -> None:
    make_user("bob")
    make_user("alice", "moderator", "user", is_active=False)
    assert names(admin.get(f"{USERS}?{query}")) == ["alice"]


@pytest.mark.parametrize("query", ["is_active__exact=0", "role=moderator"])
def test_the_list_offers_filters_by_state_and_role(admin: Client, query: str) -> None:
    assert f'<a href="?{query}"' in page(admin.get(USERS))


def test_the_list_says_which_roles_each_user_holds(admin: Client, make_user: MakeUser) -> None:
    make_user("alice", "moderator", "user")
    assert '<td class="field-holds">user, moderator</td>' in page(admin.get(USERS))


@pytest.mark.parametrize(("people", "told"), [(998, "999 users"), (999, "1000 users"), (1000, "1000+ users")])
def test_the_list_says_how_many_there_are_up_to_a_thousand(admin: Client, people: int, told: str) -> None:
    crowd(people)
    assert told in strip_tags(page(admin.get(USERS))).split("\n")


def test_the_list_leads_to_the_first_thousand_and_a_search_to_the_others(admin: Client) -> None:
    crowd(1001)
    assert (admin.get(f"{USERS}?p=10").status_code, admin.get(f"{USERS}?p=11").status_code) == (200, 302)
    assert names(admin.get(f"{USERS}?q=user1000")) == ["user1000"]


@pytest.mark.parametrize("path", [USERS, SESSIONS, AUDIT, ROLES, f"{USERS}?q=alice"])
def test_no_list_is_counted_to_its_end(admin: Client, path: str) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert admin.get(path).status_code == 200
    counts = [query["sql"] for query in captured if query["sql"].startswith("SELECT COUNT(")]
    assert len(counts) == 1
    assert "LIMIT 1001" in counts[0]


def test_a_longer_list_needs_no_more_queries(admin: Client, make_user: MakeUser) -> None:
    make_user("alice", "moderator")
    with CaptureQueriesContext(connection) as short:
        admin.get(USERS)
    for number in range(5):
        make_user(f"user{number}", "user", "moderator")
    with CaptureQueriesContext(connection) as long:
        admin.get(USERS)
    assert len(long) == len(short)


# --- a user's page


def test_a_user_has_a_double_list_of_the_roles(admin: Client, make_user: MakeUser) -> None:
    user = make_user("alice", "moderator")
    found = page(admin.get(f"{USERS}{user.pk}/change/"))
    double_list = re.search(r'<select name="held_roles"[^>]* class="selectfilter".*?</select>', found, re.DOTALL)
    assert double_list
    assert re.findall(r"<option[^>]*>\w+</option>", double_list[0]) == [
        '<option value="1">user</option>',
        '<option value="2" selected>moderator</option>',
        '<option value="3">admin</option>',
    ]


def test_saving_the_double_list_grants_and_revokes(admin: Client, make_user: MakeUser) -> None:
    user = make_user("alice", "user", "moderator")
    admin.post(f"{USERS}{user.pk}/change/", user_form("alice", "moderator", "admin"))
    assert User.objects.get(pk=user.pk).role_names == ("moderator", "admin")


def test_a_grant_that_stays_keeps_its_date(admin: Client, make_user: MakeUser) -> None:
    user = make_user("alice", "user", "moderator")
    user.grants.update(granted_at=datetime(2020, 1, 1, tzinfo=UTC))
    admin.post(f"{USERS}{user.pk}/change/", user_form("alice", "moderator", "admin"))
    assert user.grants.get(role__name="moderator").granted_at.year == 2020


def test_deactivating_a_user_ends_what_their_tokens_are_good_for(
    admin: Client, api: APIClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    user, token = make_user("alice"), sign_in("alice")["accessToken"]
    admin.post(f"{USERS}{user.pk}/change/", user_form("alice", "user", is_active=""))
    assert api.get("/api/test/user", headers={"x-access-token": token}).status_code == 401


def test_saving_the_page_leaves_the_password_alone(admin: Client, make_user: MakeUser) -> None:
    user = make_user("alice")
    admin.post(f"{USERS}{user.pk}/change/", user_form("alice", "user", password="overwritten"))
    assert User.objects.get(pk=user.pk).password == user.password


@pytest.mark.parametrize("taken", [{"username": "BOB"}, {"email": "BOB@example.com"}])
def test_a_taken_name_is_an_error_of_the_form(admin: Client, make_user: MakeUser, taken: dict[str, str]) -> None:
    make_user("bob")
    user = make_user("alice")
    response = admin.post(f"{USERS}{user.pk}/change/", user_form("alice", "user") | taken)
    assert errors(response) == [f"Failed! {next(iter(taken)).capitalize()} is already in use!"]


def test_a_user_may_keep_the_name_in_another_letter_case(admin: Client, make_user: MakeUser) -> None:
    user = make_user("alice")
    admin.post(f"{USERS}{user.pk}/change/", user_form("Alice", "user"))
    assert User.objects.get(pk=user.pk).username == "Alice"


def test_a_user_is_deleted_with_their_sessions(admin: Client, make_user: MakeUser, sign_in: SignIn) -> None:
    user = make_user("alice")
    sign_in("alice")
    admin.post(f"{USERS}{user.pk}/delete/", {"post": "yes"})
    assert not User.objects.filter(username="alice").exists()


def test_selected_users_are_deleted_with_their_sessions(admin: Client, make_user: MakeUser, sign_in: SignIn) -> None:
    user = make_user("alice")
    sign_in("alice")
    admin.post(USERS, {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"})
    assert not User.objects.filter(username="alice").exists()


# --- a new user


def test_a_new_user_can_sign_in(admin: Client, sign_in: SignIn) -> None:
    admin.post(f"{USERS}add/", new_user_form("alice", "user", "moderator"))
    assert sign_in("alice")["roles"] == ["ROLE_USER", "ROLE_MODERATOR"]


def test_a_new_user_is_offered_the_role_user(admin: Client) -> None:
    assert re.findall(r'<option value="\d+" selected>(\w+)<', page(admin.get(f"{USERS}add/"))) == ["user"]


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"username": ""}, "This field is required."),
        ({"username": "al"}, "Username must have 3 to 150 characters."),
        ({"username": "alice smith"}, "Username may hold only letters, digits and @.+-_"),
        ({"username": "x" * 151}, "Ensure this value has at most 150 characters (it has 151)."),
        ({"username": "RooT"}, "Failed! Username is already in use!"),
        ({"email": "ROOT@example.com"}, "Failed! Email is already in use!"),
        ({"email": "nobody"}, "Enter a valid email address."),
        ({"password2": "another password"}, "The two password fields didn’t match."),
        ({"password1": "12345678", "password2": "12345678"}, "This password is too common."),
        ({"password1": "alice123", "password2": "alice123"}, "The password is too similar to the username."),
        ({"held_roles": ["4711"]}, "Select a valid choice. 4711 is not one of the available choices."),
    ],
)
def test_what_is_wrong_with_a_new_user_is_an_error_of_the_form(
    admin: Client, form: dict[str, Any], message: str
) -> None:
    response = admin.post(f"{USERS}add/", new_user_form("alice", "user") | form)
    assert message in errors(response)
    assert User.objects.count() == 1


# --- passwords


def test_the_page_of_a_user_leads_to_the_password_form(admin: Client, make_user: MakeUser) -> None:
    user = make_user("alice")
    assert 'href="../password/"' in page(admin.get(f"{USERS}{user.pk}/change/"))


def test_a_new_password_set_by_an_admin_ends_the_users_sessions(
    admin: Client, make_user: MakeUser, sign_in: SignIn
) -> None:
    user = make_user("alice")
    sign_in("alice")
    admin.post(f"{USERS}{user.pk}/password/", {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert sign_in("alice", NEW_PASSWORD)
    assert sorted(user.sessions.values_list("revoked_reason", flat=True)) == ["", "password_changed"]


def test_a_weak_password_is_an_error_of_the_form(admin: Client, make_user: MakeUser) -> None:
    user = make_user("alice")
    response = admin.post(f"{USERS}{user.pk}/password/", {"password1": "12345678", "password2": "12345678"})
    assert errors(response) == ["This password is too common."]


def test_taking_the_password_away_ends_the_users_sessions(admin: Client, make_user: MakeUser, sign_in: SignIn) -> None:
    user = make_user("alice")
    sign_in("alice")
    admin.post(f"{USERS}{user.pk}/password/", {"usable_password": "false", "unset-password": ""})
    assert not User.objects.get(pk=user.pk).has_usable_password()
    assert user.sessions.get().revoked_reason == "password_changed"


def test_an_admins_own_new_password_ends_their_sessions_but_the_one_in_the_browser(
    admin: Client, sign_in: SignIn
) -> None:
    sign_in("root")
    form = {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    response = admin.post("/admin/password_change/", form)
    assert response["Location"] == "/admin/password_change/done/"
    assert Session.objects.get().revoked_reason == "password_changed"
    assert is_in(admin)


def test_an_admins_own_new_password_needs_the_old_one(admin: Client) -> None:
    form = {"old_password": "wrong", "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    admin.post("/admin/password_change/", form)
    assert check_password(PASSWORD, User.objects.get(username="root").password)


# --- roles


def test_the_roles_say_how_many_hold_each(admin: Client, make_user: MakeUser) -> None:
    make_user("alice", "user", "moderator")
    make_user("bob", "user")
    found = page(admin.get(ROLES))
    assert re.findall(r'field-holders">(\d+)<', found) == ["2", "1", "1"]
    assert names(admin.get(ROLES)) == ["user", "moderator", "admin"]


def test_a_role_can_be_added_and_given(admin: Client) -> None:
    admin.post(f"{ROLES}add/", {"name": "editor", "description": "Edits."})
    admin.post(f"{USERS}add/", new_user_form("alice", "editor"))
    assert User.objects.get(username="alice").role_names == ("editor",)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Editor", "A lower-case letter first, then also digits, - and _."),
        ("admin", "Role with this Name already exists."),
    ],
)
def test_a_bad_name_of_a_role_is_an_error_of_the_form(admin: Client, name: str, message: str) -> None:
    assert errors(admin.post(f"{ROLES}add/", {"name": name})) == [message]


@pytest.mark.parametrize("name", ["user", "moderator", "admin"])
def test_a_built_in_role_cannot_be_renamed(admin: Client, name: str) -> None:
    pk = role_id(name)
    admin.post(f"{ROLES}{pk}/change/", {"name": "renamed", "description": "Described anew."})
    assert Role.objects.filter(pk=pk, description="Described anew.").values_list("name", flat=True)[0] == name


@pytest.mark.parametrize("name", ["user", "moderator", "admin"])
def test_a_built_in_role_cannot_be_deleted(admin: Client, name: str) -> None:
    assert admin.post(f"{ROLES}{role_id(name)}/delete/", {"post": "yes"}).status_code == 403
    assert Role.objects.filter(name=name).exists()


def test_a_built_in_role_cannot_be_deleted_from_the_list_either(admin: Client) -> None:
    chosen = [Role.objects.create(name="editor").pk, role_id("moderator")]
    response = admin.post(ROLES, {"action": "delete_selected", "_selected_action": chosen, "post": "yes"})
    assert response.status_code == 403
    assert Role.objects.filter(pk__in=chosen).count() == 2


def test_a_role_that_nobody_holds_can_be_deleted(admin: Client) -> None:
    role = Role.objects.create(name="editor")
    admin.post(f"{ROLES}{role.pk}/delete/", {"post": "yes"})
    assert not Role.objects.filter(name="editor").exists()


def test_a_role_that_someone_holds_is_not_deleted_and_the_page_says_why(admin: Client, make_user: MakeUser) -> None:
    role = Role.objects.create(name="editor")
    make_user("alice", "editor")
    response = admin.post(f"{ROLES}{role.pk}/delete/", {"post": "yes"})
    assert "would require deleting the following protected related objects" in page(response)
    assert Role.objects.filter(name="editor").exists()


# --- sessions


@pytest.mark.parametrize("action", ["add", "{session}/change", "{session}/delete"])
def test_a_session_can_only_be_looked_at(admin: Client, rows: dict[str, Any], action: str) -> None:
    before = Session.objects.values().get()
    response = admin.post(f"{SESSIONS}{action}/".format(**rows), {"post": "yes", "user": rows["user"]})
    assert (response.status_code, Session.objects.values().get()) == (403, before)


def test_revoking_the_selected_sessions_ends_what_their_tokens_are_good_for(
    admin: Client, api: APIClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    user = make_user("alice")
    kept, token = sign_in("alice")["accessToken"], sign_in("alice")["accessToken"]
    chosen = user.sessions.latest("opened_at").pk
    admin.post(SESSIONS, {"action": "revoke_selected", "_selected_action": [chosen], "post": "yes"})
    answers = [api.get("/api/test/user", headers={"x-access-token": sent}).status_code for sent in (kept, token)]
    assert answers == [200, 401]


def test_it_says_how_many_sessions_were_revoked(admin: Client, rows: dict[str, Any]) -> None:
    data = {"action": "revoke_selected", "_selected_action": [rows["session"]], "post": "yes"}
    assert "Sessions revoked: 1 (alice at 127.0.0.1" in page(admin.post(SESSIONS, data, follow=True))


def test_sessions_are_found_by_the_name_of_their_user(admin: Client, make_user: MakeUser, sign_in: SignIn) -> None:
    for name in ("alice", "bob"):
        make_user(name)
        sign_in(name)
    assert names(admin.get(f"{SESSIONS}?q=alice")) == ["alice"]


# --- ending the admin's own sessions, which are Django's


@pytest.mark.parametrize("ending", ["everywhere", "revoked", "deactivated"])
def test_what_ends_all_sessions_ends_those_of_the_admin_too_and_for_good(
    make_user: MakeUser, sign_in: SignIn, api: APIClient, client: Client, ending: str
) -> None:
    make_user("other", "admin")
    boss = make_user("boss", "admin")
    client.post("/admin/login/", {"username": "boss", "password": PASSWORD})
    assert client.get("/admin/").status_code == 200
    if ending == "everywhere":
        api.post("/api/auth/signout", {"everywhere": True}, headers={"x-access-token": sign_in("boss")["accessToken"]})
    elif ending == "revoked":
        services.revoke_all_sessions(user=boss, by=Actor())
    else:
        for active in (False, True):
            services.set_active(user=boss, active=active, by=Actor())
    assert client.get("/admin/").status_code == 302


def test_the_last_admin_keeps_a_password_to_sign_in_with(make_user: MakeUser, client: Client) -> None:
    boss = make_user("boss", "admin")
    client.force_login(boss)
    with pytest.raises(LastAdmin):
        services.remove_password(user=boss, by=Actor())
    response = client.post(f"{USERS}{boss.pk}/password/", {"usable_password": "false", "unset-password": ""})
    assert response.status_code == 302
    assert User.objects.get(pk=boss.pk).has_usable_password()


def test_the_list_of_users_ends_all_sessions_of_those_selected(
    make_user: MakeUser, sign_in: SignIn, api: APIClient, client: Client
) -> None:
    client.force_login(make_user("boss", "admin"))
    alice = make_user("alice")
    token = sign_in("alice")["accessToken"]
    response = client.post(USERS, {"action": "end_sessions", "_selected_action": [alice.pk], "post": "yes"})
    assert response.status_code == 302
    assert api.get("/api/test/user", headers={"x-access-token": token}).status_code == 401
