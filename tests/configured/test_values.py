"""A value that is none is refused at the start, in a sentence."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings
from redis import Redis

from authproject import env
from tests.asking import GOOD_KEY, errors, refusal, serve

pytestmark = pytest.mark.no_database


RATES = ["GUESS_RATE", "GUESS_RATE_ADDRESS", "GUESS_RATE_ACCOUNT"]
RATES += ["SIGN_UP_RATE", "REFRESH_RATE", "PASSWORD_CHECK_RATE"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ENVIRONMENT", "prod", "development or production"),
        ("TOKEN_DELIVERY", "cookies", "body or cookie or both"),
        ("COOKIE_SAMESITE", "Laxx", "Strict or Lax or None"),
        ("DEBUG", "maybe", "on or off"),
        ("COOKIE_SECURE", "ture", "on or off"),
        ("REVEAL_UNKNOWN_USERNAME", "2", "on or off"),
        ("BREACHED_PASSWORDS", "yess", "on or off"),
        ("PORT", "80a", "a whole number"),
        ("ACCESS_TOKEN_LIFETIME", "1.5", "a whole number"),
        ("SESSION_LIFETIME", "1d", "a whole number"),
        *((name, "ten", "off, or a number per s, m, h or d such as 10/h") for name in RATES),
    ],
)
def test_a_misspelt_value_is_refused_in_one_sentence(name: str, value: str, expected: str) -> None:
    """Through the settings module alone: that the programs print the sentence is tested above."""
    sentence = f"django.core.exceptions.ImproperlyConfigured: {name} must be {expected}, but is {value!r}."
    assert refusal(**{name: value}).splitlines()[-1] == sentence


@pytest.mark.parametrize("word", ["1", "true", "YES", " On "])
def test_these_words_turn_a_flag_on(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("A_FLAG", word)
    assert env.flag("A_FLAG", default=False) is True


@pytest.mark.parametrize("word", ["0", "false", "NO", " Off "])
def test_these_words_turn_a_flag_off(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("A_FLAG", word)
    assert env.flag("A_FLAG", default=True) is False


@pytest.mark.parametrize(
    ("raw", "rate"),
    [
        ("1/s", (1, 1)),
        ("60/m", (60, 60)),
        (" 10 / H ", (10, 3600)),
        ("1000000/d", (1_000_000, 86_400)),
        ("off", None),
        ("OFF", None),
        ("", (10, 3600)),
    ],
)
def test_a_rate_is_a_number_per_unit_or_off(
    monkeypatch: pytest.MonkeyPatch, raw: str, rate: tuple[int, int] | None
) -> None:
    monkeypatch.setenv("A_RATE", raw)
    assert env.rate("A_RATE", "10/h") == rate


@pytest.mark.parametrize(
    "raw", ["0/h", "-1/h", "1000001/d", "10", "10/", "/h", "h", "10/hour", "10/h/h", "1.5/h", "10 h", "no", "9" * 5000]
)
def test_a_rate_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, raw: str) -> None:
    monkeypatch.setenv("A_RATE", raw)
    with pytest.raises(ImproperlyConfigured, match=r"^A_RATE must be off, or a number per s, m, h or d such as 10/h"):
        env.rate("A_RATE", "10/h")


@pytest.mark.parametrize(
    "url",
    [
        *("redis://cache", "redis://cache:6379", "redis://cache:6379/0", "redis://[::1]:6379/15", "rediss://cache/"),
        *("redis://:secret@cache:6379/0", "redis://user:p%40ss@127.0.0.1:6379/0", "unix:///run/redis.sock", ""),
    ],
)
def test_a_url_of_a_redis_is_taken_as_it_is_and_redis_understands_it(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("A_CACHE", url)
    assert env.redis("A_CACHE") == url
    if url:
        Redis.from_url(url).connection_pool.make_connection()


@pytest.mark.parametrize(
    "url",
    [
        *("cache", "cache:6379", "http://:hunter2@cache", "REDIS://:hunter2@cache", "redis://", "redis://:hunter2@/0"),
        *("redis://:hunter2@cache:abc/0", "redis://:hunter2@cache:0/0", "redis://:hunter2@cache:65536/0"),
        *("redis://:hunter2@cache/abc", "redis://:hunter2@cache/-1", "redis://:hunter2@cache/0/1"),
        *("redis://:hunter2@cache/0?ssl=1", "redis://:hunter#2@cache/0", "redis://:hunter/2@cache/0"),
        *("redis://:hunter2@[::1/0", "redis://:hunter2@a..b/0", f"redis://:hunter2@{'a' * 64}/0", "unix://:hunter2@"),
    ],
)
def test_a_url_of_no_redis_is_refused_without_showing_its_password(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("A_CACHE", url)
    with pytest.raises(ImproperlyConfigured) as refused:
        env.redis("A_CACHE")
    assert str(refused.value).startswith("A_CACHE must be redis://[USER:PASSWORD@]HOST:PORT/NUMBER")
    assert "hunter" not in str(refused.value)


def test_the_server_does_not_start_with_a_cache_that_is_none_and_does_not_show_its_password() -> None:
    code, error = serve(CACHE_URL="redis://:hunter2@cache:abc/0")
    assert (code, error.startswith("authproject: CACHE_URL must be redis://"), "hunter2" in error) == (1, True, False)
    assert error.count("\n") == 1


def test_a_list_is_separated_by_commas_and_may_have_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_LIST", " a.example.com, b.example.com,, ")
    assert env.names("A_LIST", []) == ["a.example.com", "b.example.com"]


@pytest.mark.parametrize("url", ["nonsense", "postgres://u:p@h/n", "mysql://user:secret@host:port/name"])
def test_a_database_that_is_none_is_refused_without_showing_its_password(url: str) -> None:
    said = refusal(DATABASE_URL=url)
    assert "DATABASE_URL must be sqlite:///FILE or mysql://" in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("TRUSTED_PROXY_COUNT", -1, "accounts.E008"),
        ("AUDIT_KEY", "short", "accounts.E009"),
        ("AUDIT_SEAL_INTERVAL", -1, "accounts.E010"),
        ("AUDIT_SEAL_INTERVAL", 10**12, "accounts.E010"),
        ("SESSIONS_PER_USER", 0, "accounts.E011"),
        ("SECRET_KEY_FALLBACKS", [GOOD_KEY, "short"], "accounts.E016"),
        ("TOKEN_AUDIENCE", "authproject/refresh", "accounts.E018"),
        ("CORS_ALLOWED_ORIGINS", ["null"], "accounts.E012"),
        ("BREACHED_PASSWORDS_URL", "api.pwnedpasswords.com/range/", "accounts.E013"),
        ("BREACHED_PASSWORDS_URL", "file:///etc/passwd", "accounts.E013"),
        ("BREACHED_PASSWORDS_URL", "https:///range/", "accounts.E013"),
        ("BREACHED_PASSWORDS_URL", "https://mirror.example.com/range?prefix=", "accounts.E013"),
        ("PASSWORD_WORDS", ["acme", "2024"], "accounts.E014"),
    ],
)
def test_a_value_that_makes_no_sense_is_an_error(settings: Settings, name: str, value: object, error: str) -> None:
    setattr(settings, name, value)
    assert errors() == [error]
