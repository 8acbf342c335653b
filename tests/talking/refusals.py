"""What is answered where it is not the caller's business that counts: how all operations refuse, and what the pages
for programs say."""

from datetime import UTC, datetime
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import OperationalError
from django.test import override_settings

from accounts import keys, services
from accounts.errors import UserNotFound
from accounts.keys.ring import asymmetric_key
from accounts.testing import PASSWORD
from authproject import health, metrics
from content.views import BoardViewSet
from tests.talking.recorder import Recorder, client

METRICS_TOKEN = "m" * 43
EVE = {"username": "eve", "email": "eve@example.com", "password": PASSWORD}
TOO_LONG = "x" * 200_000


def hold(recorder: Recorder) -> None:
    """Grace, who holds admin, and Bob, who does not, have their accounts."""
    for part in (tokens, requests, nowhere, faults, front_door, health_of_this_copy, numbers):
        part(recorder)


def tokens(recorder: Recorder) -> None:
    say, needed, bob = recorder.say, "where a token is needed", recorder.sign_in("bob")
    say("board_user", "No token was sent", where=needed)
    say("board_user", "The token is not good, or not any more", where=needed, by=client(HTTP_X_ACCESS_TOKEN="nonsense"))
    say("user_list", "The role admin is missing", where="where the role admin is needed", by=bob)
    recorder.wait(hours=2)
    say("board_user", "The token has expired", where=needed, by=bob)


def requests(recorder: Recorder) -> None:
    say, with_body, signs_in = recorder.say, "to a request with a body", {"username": "bob", "password": "wrong"}
    say(
        "welcome_welcome",
        "For a host that is not ours",
        where="anywhere",
        by=client(),
        sent={"headers": {"host": "evil.example"}},
    )
    broken = {"data": '{"username": ', "content_type": "application/json"}
    say("auth_signin", "The body is no JSON", where=with_body, sent=broken)
    say("auth_signin", "The body is too large", where=with_body, body={"username": TOO_LONG})
    say(
        "auth_signin", "The body is of another kind", where=with_body, sent={"data": "<a/>", "content_type": "text/xml"}
    )
    with override_settings(TOKEN_DELIVERY="cookie"):
        elsewhere = client(HTTP_ORIGIN="https://evil.example")
        say(
            "auth_signin",
            "From another site's page",
            where="to a request that changes something",
            by=elsewhere,
            body=signs_in,
        )
    with override_settings(SIGN_UP_RATE=(1, 3600)):
        for seconds in (1, 2, 4, 0):
            client().post("/api/auth/signup", EVE)
            recorder.wait(seconds=seconds)
        say(
            "auth_signup",
            "Too many tries",
            where=with_body,
            body={**EVE, "username": "eva", "email": "eva@example.com"},
        )


def nowhere(recorder: Recorder) -> None:
    say, grace = recorder.say, recorder.sign_in("grace")
    say("role_retrieve", "There is no such thing", where="where one thing is named", by=grace, id=404)
    say("user_list", "There is no such page", where="where there are pages", by=grace, query={"page": 404})
    with patch.object(services, "change_own_account", side_effect=UserNotFound):
        body = {"email": "grace@example.org", "currentPassword": "wrong"}
        say("own_change", "The account is being removed at this moment", by=grace, body=body)


def faults(recorder: Recorder) -> None:
    for fault, says in ((RuntimeError(), "An error of ours"), (OperationalError(2006, "away"), "The database is away")):
        with patch.object(BoardViewSet, "all", side_effect=fault):
            recorder.say("board_all", says, where="anywhere")


def front_door(recorder: Recorder) -> None:
    recorder.say("welcome_welcome", "The front door")
    for operation in ("welcome_documentation", "welcome_contract"):
        recorder.say(operation, "The wire contract")
    recorder.say("welcome_openapi", "This description", only=("openapi", "info"))
    key = asymmetric_key(Ed25519PrivateKey.from_private_bytes(bytes(32)), datetime(2026, 1, 1, tzinfo=UTC))
    with patch.object(keys, "ring", return_value=keys.assemble([key])):
        recorder.say("keys_published", "One key")


def health_of_this_copy(recorder: Recorder) -> None:
    recorder.say("health_live", "It is alive")
    for found, says in (("ok", "It can serve"), ("away", "The database is away, and requests are answered with 503")):
        checks = {"database": found, "migrations": "ok" if found == "ok" else "unknown"}
        with patch.object(health, "_checks", health._Checks()), patch.object(health, "_database", return_value=checks):
            recorder.say("health_ready", says)


def numbers(recorder: Recorder) -> None:
    scraper = client(HTTP_AUTHORIZATION=f"Bearer {METRICS_TOKEN}")
    recorder.say("metrics_numbers", "METRICS_TOKEN is not set", by=scraper)
    with override_settings(METRICS_TOKEN=METRICS_TOKEN), patch.object(metrics, "prometheus", metrics.Prometheus()):
        recorder.say("metrics_numbers", "The first of them", by=scraper)
        recorder.say("metrics_numbers", "That is not METRICS_TOKEN")
