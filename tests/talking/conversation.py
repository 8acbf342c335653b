"""What is said, by people who do what the API is for: Grace is the admin, Ada signs up, Bob is made by Grace."""

from typing import Any

from django.test import override_settings

from accounts.testing import PASSWORD
from tests.talking.recorder import Recorder, client

ADA = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}
BOB = {"username": "bob", "email": "bob@example.com", "password": PASSWORD, "roles": ["user"]}
NEW_PASSWORD = "staple battery horse"
NOWHERE = "019c1000-0000-7000-8000-999999999999"


def hold(recorder: Recorder) -> None:
    """All of it; Grace has her account."""
    for part in (signing, with_cookies, boards, own_account, people, grants, roles, audit, leaving):
        part(recorder)


def signing(recorder: Recorder) -> None:
    say, account = recorder.say, {"username": "ada", "password": PASSWORD}
    recorder.know("grace")
    say("auth_signup", "Sign up", body=ADA)
    recorder.know("ada")
    say("auth_signup", "The name is taken, in other letters", body={**ADA, "username": "ADA"})
    eve = {**ADA, "username": "eve", "email": "eve@example.com"}
    say("auth_signup", "A role that nobody may give themselves", body={**eve, "roles": ["admin"]})
    say("auth_signup", "The password is too common", body={**eve, "password": "password123"})
    say("auth_signup", "Fields are missing", body={"username": "eve"})
    tokens = say("auth_signin", "Sign in", body=account, tokens="in the body")
    say("auth_signin", "A wrong password, or an unknown name", body={**account, "password": "wrong"})
    with override_settings(REVEAL_UNKNOWN_USERNAME=True):
        say("auth_signin", "An unknown name, where REVEAL_UNKNOWN_USERNAME is on", body={**account, "username": "eve"})
    say("auth_signin", "A field is missing", body={"username": "ada"})
    refresh = {"refreshToken": tokens["refreshToken"]}
    say("auth_refreshtoken", "Refresh", body=refresh, tokens="in the body")
    say("auth_refreshtoken", "No refresh token was sent")
    say("auth_refreshtoken", "The refresh token is not good, or not any more", body={"refreshToken": "nonsense"})


@override_settings(TOKEN_DELIVERY="cookie")
def with_cookies(recorder: Recorder) -> None:
    browser: Any = client()
    body = {"username": "ada", "password": PASSWORD}
    recorder.say("auth_signin", "Sign in", by=browser, body=body, tokens="in cookies")
    recorder.say("auth_refreshtoken", "Refresh", by=browser, tokens="in cookies")


def boards(recorder: Recorder) -> None:
    say, ada, grace = recorder.say, recorder.sign_in("ada"), recorder.sign_in("grace")
    held = f"/api/users/{recorder.know('ada')}/roles"
    say("board_all", "For everyone")
    say("board_user", "For who is signed in", by=ada)
    say("board_mod", "The role moderator is missing", by=ada)
    grace.post(held, {"role": "moderator"})
    say("board_mod", "For moderators", by=ada)
    grace.delete(f"{held}/moderator")
    say("board_admin", "For admins", by=grace)


def own_account(recorder: Recorder) -> None:
    say, ada, phone = recorder.say, recorder.sign_in("ada"), recorder.sign_in("ada")
    say("own_me", "Ada", by=ada)
    proved = {"currentPassword": PASSWORD}
    say("own_change", "A new address", by=ada, body={"email": "ada@example.org", **proved})
    wrong = {"currentPassword": "wrong"}
    say("own_change", "The current password is wrong", by=ada, body={"email": "eve@example.com", **wrong})
    say("own_password", "The new password is too short", by=ada, body={**proved, "newPassword": "short"})
    sessions = say("own_sessions", "Two sessions", by=ada)[:2]
    say("own_revoke_session", "The other one is ended", by=ada, session_id=sessions[0]["id"])
    say("own_revoke_session", "There is no such session", by=ada, session_id=NOWHERE)
    phone.get("/api/test/user")
    say("own_export", "All about Ada", by=ada)
    say("own_password", "A new password", by=ada, body={**proved, "newPassword": NEW_PASSWORD})


def people(recorder: Recorder) -> None:
    say, grace = recorder.say, recorder.sign_in("grace")
    say("user_create", "A new account", by=grace, body=BOB)
    bob, first = recorder.know("bob"), recorder.know("grace")
    say("user_create", "The name is taken", by=grace, body=BOB)
    say("user_list", "The first page", by=grace, query={"pageSize": 2})
    say("user_list", "A filter that makes no sense", by=grace, query={"active": "perhaps"})
    say("user_retrieve", "Bob", by=grace, id=bob)
    say("user_partial_update", "A new address", by=grace, id=bob, body={"email": "bob@example.org"})
    say("user_partial_update", "The last admin", by=grace, id=first, body={"active": False})
    recorder.sign_in("bob")
    say("user_sessions", "Bob's only session", by=grace, id=bob)
    say("user_revoke_sessions", "All are ended", by=grace, id=bob)
    say("user_destroy", "Bob may not come in any more", by=grace, id=bob)
    say("user_partial_update", "Bob may come back", by=grace, id=bob, body={"active": True})
    say("user_destroy", "The last admin", by=grace, id=first)


def grants(recorder: Recorder) -> None:
    say, grace, bob, first = recorder.say, recorder.sign_in("grace"), recorder.know("bob"), recorder.know("grace")
    given = {"role": "moderator", "reason": "holiday cover", "expiresAt": "2030-01-31T18:00:00Z"}
    say("user_grant", "For a while", by=grace, id=bob, body=given)
    say("user_grant", "There is no such role", by=grace, id=bob, body={"role": "root"})
    say("user_grant", "The last admin", by=grace, id=first, body={**given, "role": "admin"})
    say("user_roles", "Bob's roles", by=grace, id=bob)
    say("user_revoke_role", "Taken away", by=grace, id=bob, role_name="moderator")
    say("user_revoke_role", "The last admin", by=grace, id=first, role_name="admin")


def roles(recorder: Recorder) -> None:
    say, grace = recorder.say, recorder.sign_in("grace")
    body = {"name": "editor", "description": "Writes what others read."}
    editor = say("role_create", "A role of your own", by=grace, body=body)["id"]
    say("role_create", "The name is no good", by=grace, body={"name": "Editor in chief"})
    listed = say("role_list", "All roles", by=grace)["results"]
    say("role_retrieve", "The editors", by=grace, id=editor)
    say("role_partial_update", "Another description", by=grace, id=editor, body={"description": "Writes."})
    say("role_partial_update", "A role of the server's", by=grace, id=listed[0]["id"], body={"name": "member"})
    say("role_destroy", "A role of the server's", by=grace, id=listed[0]["id"])
    recorder.number_roles()
    say("role_destroy", "The role is gone", by=grace, id=editor)


def audit(recorder: Recorder) -> None:
    say, grace = recorder.say, recorder.sign_in("grace")
    entries = say("audit_list", "The newest entries", by=grace, query={"pageSize": 2, "action": "role_granted"})
    say("audit_list", "A cursor that makes no sense", by=grace, query={"cursor": "nonsense"})
    say("audit_retrieve", "One entry", by=grace, id=entries["results"][0]["id"])


def leaving(recorder: Recorder) -> None:
    say, ada, grace = recorder.say, recorder.sign_in("ada", NEW_PASSWORD), recorder.sign_in("grace")
    say("own_delete_me", "The password is wrong", by=ada, body={"password": "wrong"})
    say("own_delete_me", "The account is gone", by=ada, body={"password": NEW_PASSWORD})
    say("own_delete_me", "The last admin", by=grace, body={"password": PASSWORD})
    say("auth_signout", "From everywhere", by=recorder.sign_in("bob"), body={"everywhere": True})
    say("auth_signout", "With the refresh token alone", body={"refreshToken": "nonsense"})
