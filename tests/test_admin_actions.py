"""Actions of the admin on the selected: each asks first, does what it said, and tells what was refused."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags

from accounts import services
from accounts.admin import actions, base
from accounts.admin.devices import device
from accounts.models import Actor, AuditEntry, RoleGrant, Session, User

pytestmark = pytest.mark.django_db
MakeUser = Callable[..., User]
SignIn = Callable[..., dict[str, Any]]
USERS, SESSIONS = "/admin/accounts/user/", "/admin/accounts/session/"
ACTIONS = ["activate", "deactivate", "end_sessions", "grant_role", "revoke_role", "delete_selected"]


@pytest.fixture
def root(make_user: MakeUser) -> User:
    return make_user("root", "admin")


@pytest.fixture
def admin(root: User) -> Client:
    browser = Client(raise_request_exception=False)
    browser.force_login(root)
    return browser


@pytest.fixture
def alice(make_user: MakeUser) -> User:
    return make_user("alice")


@pytest.fixture
def bob(make_user: MakeUser) -> User:
    return make_user("bob", "moderator")


def ask(browser: Client, action: str, *rows: Any, path: str = USERS, **fields: Any) -> Any:
    """Sends what the list does, when the action was chosen."""
    return browser.post(path, {"action": action, "_selected_action": [row.pk for row in rows], **fields})


def confirm(browser: Client, action: str, *rows: Any, path: str = USERS, **fields: Any) -> list[str]:
    """Sends what the question does, when it was answered; gives what the admin is told after it."""
    response = ask(browser, action, *rows, path=path, post="yes", **fields)
    assert (response.status_code, response["Location"]) == (302, path)
    return messages(browser.get(path))


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", unescape(strip_tags(response.content.decode())))


def messages(response: Any) -> list[str]:
    found = re.search(r'<ul class="messagelist">(.*?)</ul>', response.content.decode(), re.DOTALL)
    items = re.findall(r"<li[^>]*>(.*?)</li>", found[1], re.DOTALL) if found else []
    return [unescape(item) for item in items]


def state() -> list[Any]:
    """Everything that an action could change."""
    grants = RoleGrant.with_expired.order_by("pk").values_list("user_id", "role_id", "expires_at")
    users = User.objects.order_by("pk").values_list("pk", "is_active", "sessions_version")
    return [
        *users,
        *grants,
        *Session.objects.order_by("pk").values_list("pk", "revoked_at"),
        AuditEntry.objects.count(),
    ]


# --- the question


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_changes_before_the_question_is_answered(
    admin: Client, alice: User, bob: User, sign_in: SignIn, action: str
) -> None:
    sign_in("alice")
    before = state()
    assert ask(admin, action, alice, bob, role="moderator").status_code == 200
    assert state() == before


@pytest.mark.parametrize("action", ACTIONS)
def test_the_question_names_those_it_is_about(admin: Client, alice: User, bob: User, action: str) -> None:
    User.objects.filter(username="alice").update(is_active=False)
    page = ask(admin, action, alice, bob).content.decode()
    assert "alice" in page
    assert "bob" in page
    assert page.count('name="_selected_action"') == 2


def test_the_question_says_what_happens_and_for_whom_nothing_does(admin: Client, alice: User, bob: User) -> None:
    services.set_active(user=bob, active=False, by=Actor())
    said = text(ask(admin, "deactivate", alice, bob))
    assert "Deactivate 1 user? They cannot sign in any more" in said
    assert "Nothing changes for these: they are not active. bob" in said


def test_where_nothing_would_happen_there_is_no_button(admin: Client, alice: User) -> None:
    assert 'name="post"' not in ask(admin, "activate", alice).content.decode()


def test_of_many_the_question_names_some_and_says_how_many_more(admin: Client) -> None:
    people = crowd(actions.NAMED + 3)
    assert "user19 and 3 more" in text(ask(admin, "deactivate", *people))


def crowd(size: int) -> list[User]:
    """Without roles or passwords, and made at once."""
    people = (User(username=f"user{number:02}", email=f"user{number}@example.com") for number in range(size))
    User.objects.bulk_create(people)
    return list(User.objects.filter(username__startswith="user").order_by("pk"))


def test_the_question_warns_of_what_it_does_to_admins_and_to_oneself(admin: Client, root: User, alice: User) -> None:
    said = text(ask(admin, "deactivate", root, alice))
    assert "Admins among them: 1 (root)." in said
    assert "You are one of them" in said


# --- the deed


def test_deactivating_ends_sessions_and_says_who(admin: Client, alice: User, bob: User, sign_in: SignIn) -> None:
    sign_in("alice")
    assert confirm(admin, "deactivate", alice, bob) == ["Deactivated: 2 (alice, bob)."]
    assert Session.objects.get().revoked_reason == "deactivated"


def test_activating_lets_them_sign_in_again(admin: Client, alice: User, sign_in: SignIn) -> None:
    services.set_active(user=alice, active=False, by=Actor())
    assert confirm(admin, "activate", alice) == ["Activated: 1 (alice)."]
    assert sign_in("alice")


def test_the_last_admin_stays_and_the_others_do_not(
    admin: Client, root: User, alice: User, make_user: MakeUser
) -> None:
    told = confirm(admin, "deactivate", alice, root, make_user("boss", "admin", is_active=False))
    assert told[0] == "Deactivated: 1 (alice)."
    assert told[1] == "Nothing changed for 1 (boss): they are not active."
    assert told[2].startswith("Refused for 1 (root): Somebody active must hold the role admin")
    assert User.objects.get(pk=root.pk).is_active


def test_who_is_at_work_is_done_last(admin: Client, root: User, make_user: MakeUser) -> None:
    boss = make_user("boss", "admin")
    ask(admin, "deactivate", root, boss, post="yes")
    assert (User.objects.get(pk=root.pk).is_active, User.objects.get(pk=boss.pk).is_active) == (True, False)


@pytest.mark.parametrize(
    ("action", "recorded"),
    [
        ("deactivate", "account_deactivated"),
        ("end_sessions", "sessions_revoked"),
        ("grant_role", "role_granted"),
        ("delete_selected", "account_deleted"),
    ],
)
def test_it_is_recorded_by_whom(admin: Client, root: User, alice: User, action: str, recorded: str) -> None:
    alice_id = alice.pk
    confirm(admin, action, alice, role="moderator")
    entry = AuditEntry.objects.get(action=recorded, via="admin")
    assert (entry.actor_id, entry.subject_id) == (root.pk, alice_id)


def test_what_others_did_since_the_question_is_looked_at_anew(admin: Client, alice: User, bob: User) -> None:
    ask(admin, "deactivate", alice, bob)
    services.set_active(user=alice, active=False, by=Actor())
    told = confirm(admin, "deactivate", alice, bob)
    assert told == ["Deactivated: 1 (bob).", "Nothing changed for 1 (alice): they are not active."]


def test_who_is_gone_since_the_question_is_told_of(admin: Client, alice: User, bob: User) -> None:
    gone = User(pk=alice.pk)
    services.delete_account(user=alice, by=Actor())
    assert confirm(admin, "deactivate", gone, bob) == ["Deactivated: 1 (bob).", "Gone by now: 1."]


def test_a_name_cannot_write_into_the_page(admin: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(username="<b>alice</b>")
    assert "<b>" not in ask(admin, "deactivate", alice).content.decode()
    assert confirm(admin, "deactivate", alice) == ["Deactivated: 1 (<b>alice</b>)."]


# --- roles


def test_first_one_is_asked_which_role(admin: Client, bob: User) -> None:
    response = ask(admin, "grant_role", bob)
    assert re.findall(r'<option value="(\w+)"', response.content.decode()) == ["user", "moderator", "admin"]
    assert "bob (moderator)" in text(response)


def test_then_the_question_says_who_gets_it_until_when(admin: Client, alice: User, bob: User) -> None:
    said = text(ask(admin, "grant_role", alice, bob, role="moderator", until="2099-01-31T18:00"))
    assert "Give the role moderator to 1 user? They hold it from their next request on, until 2099-01-31 18:00" in said
    assert "Nothing changes for these: they hold moderator already, and keep it as it is. bob" in said


def test_the_role_is_given_with_its_end_and_reason(admin: Client, alice: User) -> None:
    fields = {"role": "moderator", "until": "2099-01-31T18:00", "reason": "Holidays"}
    assert confirm(admin, "grant_role", alice, **fields) == ["Role moderator given to 1 (alice)."]
    grant = alice.grants.get(role__name="moderator")
    assert (f"{grant.expires_at:%Y-%m-%d %H:%M}", grant.reason) == ("2099-01-31 18:00", "Holidays")


def test_the_question_passes_on_what_was_chosen(admin: Client, alice: User) -> None:
    fields = {"role": "moderator", "until": "2099-01-31T18:00", "reason": 'For "Bob"'}
    page = ask(admin, "grant_role", alice, **fields).content.decode()
    sent = {
        name: unescape(value) for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="(.*?)">', page)
    }
    assert fields.items() <= sent.items()


def test_who_holds_the_role_keeps_the_grant_as_it_is(admin: Client, alice: User, bob: User) -> None:
    until = timezone.now() + timedelta(days=7)
    services.grant_role(user=bob, role_name="moderator", by=Actor(), expires_at=until, reason="Trial")
    told = confirm(admin, "grant_role", alice, bob, role="moderator", reason="Other")
    assert told[1] == "Nothing changed for 1 (bob): they hold moderator already, and keep it as it is."
    assert (bob.grants.get().expires_at, bob.grants.get().reason) == (until, "Trial")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"role": "nothing"}, "Select a valid choice."),
        ({"role": ""}, "This field is required."),
        ({"role": "moderator", "until": "2001-01-01T00:00"}, "only until a moment that is still to come"),
        ({"role": "moderator", "until": "soon"}, "Enter a valid date/time."),
        ({"role": "moderator", "reason": "x" * 256}, "at most 255 characters"),
        ({"role": "moderator", "reason": "\0"}, "Null characters are not allowed."),
    ],
)
def test_what_makes_no_sense_is_asked_again(admin: Client, alice: User, fields: dict[str, str], said: str) -> None:
    before = state()
    assert said in text(ask(admin, "grant_role", alice, **fields, post="yes"))
    assert state() == before


def test_a_role_is_taken_away_from_those_who_hold_it(admin: Client, alice: User, bob: User) -> None:
    told = confirm(admin, "revoke_role", alice, bob, role="moderator")
    assert told == [
        "Role moderator taken away from 1 (bob).",
        "Nothing changed for 1 (alice): they do not hold moderator.",
    ]


def test_the_role_of_the_last_admin_is_not_taken_away(admin: Client, root: User) -> None:
    assert confirm(admin, "revoke_role", root, role="admin")[0].startswith("Refused for 1 (root): ")
    assert User.objects.get(pk=root.pk).role_names == ("admin",)


# --- sessions


def test_the_question_says_whose_sessions_end_and_which_are_over(admin: Client, alice: User, sign_in: SignIn) -> None:
    for _ in range(2):
        sign_in("alice")
    over, live = Session.objects.order_by("id")
    services.revoke_sessions(Session.objects.filter(pk=over.pk), user=alice, by=Actor())
    said = text(ask(admin, "revoke_selected", over, live, path=SESSIONS))
    assert "Revoke 1 session?" in said
    assert "Nothing changes for these: they are over already. alice at 127.0.0.1" in said
    told = confirm(admin, "revoke_selected", over, live, path=SESSIONS)
    assert [line.partition(" (")[0] for line in told] == ["Sessions revoked: 1", "Nothing changed for 1"]


# --- deletion


def test_the_question_before_a_deletion_counts_what_goes_with_it(admin: Client, alice: User, sign_in: SignIn) -> None:
    for _ in range(3):
        sign_in("alice")
    for response in (admin.get(f"{USERS}{alice.pk}/delete/"), ask(admin, "delete_selected", alice)):
        said = text(response)
        assert "Users: 1 Grants: 1 Sessions: 3" in said
        assert str(Session.objects.earliest("id").pk) not in said


def test_the_question_before_a_deletion_asks_no_more_often_for_more(
    admin: Client, alice: User, sign_in: SignIn
) -> None:
    def asked(*people: User) -> int:
        with CaptureQueriesContext(connection) as captured:
            ask(admin, "delete_selected", *people)
        return len(captured)

    few = asked(alice)
    sign_in("alice")
    people = crowd(actions.NAMED + 10)
    assert asked(alice, *people) == few
    assert "and 11 more" in text(ask(admin, "delete_selected", alice, *people))


# --- how much at once


def test_no_more_are_taken_at_once_than_a_page_can_ask_about(
    admin: Client, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "AT_ONCE", 2)
    response = ask(admin, "deactivate", alice, select_across="1")
    assert response.status_code == 302
    assert messages(admin.get(USERS))[0].startswith("At most 2 at once.")


def test_all_of_a_list_are_those_that_the_question_names(admin: Client, alice: User, bob: User) -> None:
    page = ask(admin, "deactivate", alice, select_across="1").content.decode()
    assert page.count('name="_selected_action"') == 3


def test_as_many_as_are_taken_fit_into_the_form(admin: Client) -> None:
    people = crowd(base.AT_ONCE)
    told = confirm(admin, "deactivate", *people)
    assert told[0].startswith(f"Deactivated: {base.AT_ONCE} (")
    assert not User.objects.filter(username__startswith="user", is_active=True).exists()


# --- who, and whence


@pytest.mark.parametrize("action", ACTIONS)
def test_who_is_no_admin_does_nothing(client: Client, make_user: MakeUser, alice: User, action: str) -> None:
    client.force_login(make_user("mallory", "moderator"))
    before = state()
    assert ask(client, action, alice, role="moderator", post="yes").status_code == 302
    assert state() == before


def test_another_sites_form_does_nothing(root: User, alice: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(root)
    assert ask(browser, "deactivate", alice, post="yes").status_code == 403
    assert User.objects.get(pk=alice.pk).is_active


# --- a transaction that is tried again


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "mysql", reason="SQLite lets one write at a time.")
def test_what_a_try_that_was_undone_had_to_say_is_not_said(
    admin: Client, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not `connection`, from behind which monkeypatch could not take back what it did.
    behind = connections[DEFAULT_DB_ALIAS]
    commit = behind.commit

    def deadlock() -> None:
        monkeypatch.setattr(behind, "commit", commit)
        connection.rollback()
        raise OperationalError(1213, "Deadlock found when trying to get lock; try restarting transaction")

    set_active = services.set_active

    def and_collide(**kwargs: Any) -> bool:
        monkeypatch.setattr(behind, "commit", deadlock)
        monkeypatch.setattr(services, "set_active", set_active)
        return set_active(**kwargs)

    monkeypatch.setattr(services, "set_active", and_collide)
    assert confirm(admin, "deactivate", alice) == ["Deactivated: 1 (alice)."]


# --- a user's page


def user_page(browser: Client, user: User) -> str:
    return browser.get(f"{USERS}{user.pk}/change/").content.decode()


def test_a_users_page_asks_no_more_often_for_one_with_much(admin: Client, alice: User, sign_in: SignIn) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            user_page(admin, alice)
        return len(captured)

    asked()  # once for what Django keeps
    few = asked()
    for name in ("moderator", "admin"):
        services.grant_role(user=alice, role_name=name, by=Actor())
    for _ in range(15):
        sign_in("alice")
    assert asked() == few


def test_a_users_page_shows_the_live_sessions_and_a_way_to_the_others(
    admin: Client, alice: User, sign_in: SignIn
) -> None:
    for _ in range(2):
        sign_in("alice")
    over, live = Session.objects.order_by("id")
    services.revoke_sessions(Session.objects.filter(pk=over.pk), user=alice, by=Actor())
    page = user_page(admin, alice)
    assert re.findall(f'"{SESSIONS}([^/]+)/change/"', page) == [str(live.pk)]
    others = admin.get(f"{SESSIONS}?user__id__exact={alice.pk}").content.decode()
    assert (str(live.pk) in others, str(over.pk) in others) == (True, True)


def test_a_users_page_shows_at_most_ten_sessions(admin: Client, alice: User, sign_in: SignIn) -> None:
    for _ in range(11):
        sign_in("alice")
    page = user_page(admin, alice)
    assert (page.count("End the session at"), "There are more" in page) == (10, True)


def test_a_users_page_shows_the_newest_entries_about_them_and_by_them(admin: Client, alice: User, bob: User) -> None:
    for _ in range(15):
        services.set_active(user=bob, active=False, by=Actor(user_id=alice.pk))
        services.set_active(user=bob, active=True, by=Actor(user_id=alice.pk))
    services.grant_role(user=alice, role_name="moderator", by=Actor(user_id=bob.pk))
    page = user_page(admin, alice)
    shown = re.findall(r'data-label="What"><a href="[^"]+">([^<]+)<', page)
    assert (len(shown), shown[0], shown[1]) == (20, "Role granted", "Account activated")
    for field in ("subject_id", "actor_id"):
        assert f"/admin/accounts/auditentry/?{field}={alice.pk}" in page


def test_the_page_for_a_new_user_shows_none_of_that(admin: Client) -> None:
    assert "Signed in" not in admin.get(f"{USERS}add/").content.decode()


@pytest.mark.parametrize(
    ("user_agent", "said"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/150.0 Safari/537.36 Edg/150.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/150.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) CriOS/150.0 Safari/604.1", "Chrome on iPhone"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("x" * 200, "x" * 60),
        ("", "not told"),
    ],
)
def test_a_device_has_a_name_that_people_know(user_agent: str, said: str) -> None:
    assert device(user_agent) == said


def test_the_list_of_sessions_names_devices_too(admin: Client, alice: User, sign_in: SignIn, api: Any) -> None:
    api.credentials(HTTP_USER_AGENT="Mozilla/5.0 (Windows NT 10.0) Firefox/140.0")
    sign_in("alice")
    assert "Firefox on Windows" in admin.get("/admin/accounts/session/").content.decode()
