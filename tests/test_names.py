"""Which names are good, which two are the same, and that bodies are read into what they say or refused."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from io import BytesIO
from typing import Any
from unicodedata import category, normalize
from urllib.parse import urlencode

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import APIException

from accounts.errors import InvalidEmail, InvalidUsername
from accounts.models import User
from accounts.names import clean_email, clean_username, name_key
from authproject.parsers import FormParser, JSONParser

pytestmark = pytest.mark.no_database

thoroughly = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# Unicode's Default_Ignorable_Code_Point, as far as these are letters or marks; and a blank hieroglyph.
INVISIBLE = (
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0\ufe00\ufe0f\U000e0100\U000e01ef\U00013441"
)


def is_accepted(clean: Callable[[str], str], raw: str) -> bool:
    with suppress(InvalidUsername, InvalidEmail):
        clean(raw)
        return True
    return False


def folded(name: str) -> str:
    return normalize("NFKC", normalize("NFKC", name).casefold())


# Letters whose case, width or composition is a trap, and some that are none.
tricky = st.text(
    st.sampled_from("aAsSßẞſiIıİéÉe\u0301\u0345\u0323σςΣΐΰŉǅﬁﬃＡａ１1Kκ가ㅏ각\u1100\u1161"), min_size=3, max_size=8
)
letters = st.characters(categories=["L", "M", "Nd"]) | st.sampled_from("@.+-_")
good_usernames = (tricky | st.text(letters, min_size=3, max_size=150)).filter(partial(is_accepted, clean_username))
domains = st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=9)
good_emails = (st.emails() | domains.map("o'hara@{}.example".format)).filter(partial(is_accepted, clean_email))


SPELLINGS: list[Callable[[str], str]] = [
    *(str.upper, str.lower, str.title, str.swapcase, str.casefold, str.strip),
    *(lambda name: normalize("NFD", name), lambda name: normalize("NFKD", name), lambda name: normalize("NFC", name)),
]


@given(name=tricky | st.text(), spelling=st.sampled_from(SPELLINGS))
@thoroughly
def test_spellings_have_one_key_exactly_if_they_fold_to_one_text(name: str, spelling: Callable[[str], str]) -> None:
    assert (name_key(name) == name_key(spelling(name))) == (folded(name) == folded(spelling(name)))


@given(names=st.tuples(tricky, tricky) | st.tuples(st.text(), st.text()))
@example(names=("jose", "josé"))
@example(names=("😀", "😁"))
@thoroughly
def test_two_names_have_one_key_exactly_if_they_fold_to_one_text(names: tuple[str, str]) -> None:
    assert (name_key(names[0]) == name_key(names[1])) == (folded(names[0]) == folded(names[1]))


@given(name=tricky | st.text(), form=st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
@thoroughly
def test_the_key_does_not_depend_on_how_letters_are_composed(name: str, form: Any) -> None:
    assert name_key(normalize(form, name)) == name_key(name)


@given(name=st.text(st.characters()))
@example("\ud800")
@thoroughly
def test_a_key_is_64_hexadecimal_digits_of_any_text_even_one_that_cannot_be_encoded(name: str) -> None:
    assert set(name_key(name)) <= set("0123456789abcdef")
    assert len(name_key(name)) == 64


@pytest.mark.parametrize("reads", [name_key, partial(is_accepted, clean_username)])
def test_a_very_long_name_is_no_work(reads: Callable[[str], object]) -> None:
    """Sorting so many accents into their order would take half a minute."""
    started = time.process_time()
    reads("a" + "\u0315\u0300" * 100_000)
    assert time.process_time() - started < 2


@given(raw=st.text(st.characters()))
@thoroughly
def test_any_text_is_a_username_or_refused(raw: str) -> None:
    with suppress(InvalidUsername):
        clean_username(raw)


@given(raw=st.text(st.characters()) | st.text(st.characters()).map("a@{}.com".format))
@thoroughly
def test_any_text_is_an_email_or_refused(raw: str) -> None:
    with suppress(InvalidEmail):
        clean_email(raw)


@given(raw=good_usernames)
@thoroughly
def test_a_cleaned_username_is_cleaned_to_itself(raw: str) -> None:
    assert clean_username(clean_username(raw)) == clean_username(raw)


@given(raw=good_usernames, form=st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
@example("Ｂob", "NFKD")
@thoroughly
def test_a_username_is_cleaned_to_one_spelling_however_it_was_composed(raw: str, form: Any) -> None:
    assert clean_username(normalize(form, raw)) == clean_username(raw)


@given(raw=good_usernames, space=st.sampled_from(["", " ", "\t\n", "\u3000"]))
@thoroughly
def test_a_cleaned_username_has_the_key_of_what_was_typed(raw: str, space: str) -> None:
    assert name_key(clean_username(space + raw + space)) == name_key(raw)


@given(raw=good_usernames)
@thoroughly
def test_a_username_has_3_to_150_characters_of_which_all_are_seen(raw: str) -> None:
    name = clean_username(raw)
    assert 3 <= len(name) <= 150
    assert not any(character in INVISIBLE or category(character)[0] in "CZ" for character in name)


@given(hidden=st.sampled_from(INVISIBLE) | st.characters(categories=["C", "Z"]))
@example("\u200b")
@example("\u202e")
@example("\x00")
@thoroughly
def test_a_character_that_is_not_seen_is_refused_inside_a_username(hidden: str) -> None:
    with pytest.raises(InvalidUsername):
        clean_username(f"bo{hidden}by")


def test_a_username_does_not_begin_with_an_accent() -> None:
    with pytest.raises(InvalidUsername):
        clean_username("\u0315bob")


@given(raw=good_emails)
@thoroughly
def test_a_cleaned_email_is_cleaned_to_itself(raw: str) -> None:
    assert clean_email(clean_email(raw)) == clean_email(raw)


@given(hidden=st.characters(categories=["C", "Z"]))
@example("\x01")
@example("\u200b")
@thoroughly
def test_a_character_that_is_not_seen_is_refused_inside_an_email(hidden: str) -> None:
    for raw in (f"bo{hidden}b@example.com", f'"bo{hidden}b"@example.com', f"bob@exam{hidden}ple.com"):
        with pytest.raises(InvalidEmail):
            clean_email(raw)


@pytest.mark.django_db
@given(raw=good_usernames)
@example("b" * 150)
@example("Владимир")
@example("𠮷野家" * 50)
@thoroughly
def test_an_accepted_username_comes_back_from_the_database_as_it_was_stored(raw: str) -> None:
    with rolled_back():
        User.objects.create(username=clean_username(raw), email="bob@example.com")
        assert User.objects.get_by_natural_key(raw).username == clean_username(raw)


@pytest.mark.django_db
@given(raw=good_emails)
@example("b" * 242 + "@example.com")
@example("bob@bücher.example")
@example("o'hara+$%&/=?^`{|}~@example.com")
@example('"a\\"b"@example.com')
@thoroughly
def test_an_accepted_email_comes_back_from_the_database_as_it_was_stored(raw: str) -> None:
    with rolled_back():
        User.objects.create(username="bob", email=clean_email(raw))
        assert User.objects.get_by_natural_key("bob").email == clean_email(raw)


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
)
JSON_SCRAPS = [
    *(b"{", b"}", b"[", b"]", b":", b",", b'"', b"\\", b"a", b"1", b"-", b".", b"e", b"9" * 5000, b"[" * 9999),
    *(
        b"\xff",
        b"\xef\xbb\xbf",
        b"null",
        b"true",
        b"NaN",
        b"-Infinity",
        b"1e999",
        b'"\\u0000"',
        b'"\\ud800"',
        b'"\x00"',
        b"\xff",
        b"\xef\xbb\xbf",
    ),
]
FORM_SCRAPS = [
    *(b"a", b"=", b"&", b";", b"+", b"%", b"%00", b"%41", b"%ff", b"%ed%a0%80", b"[]", b"\x00", b"\xff", b" "),
    *(b"&" * 300, b"a=" * 300, b"a&" * 300),
]


@given(body=st.binary() | st.lists(st.sampled_from(JSON_SCRAPS)).map(b"".join))
@thoroughly
def test_any_bytes_are_json_or_refused(body: bytes) -> None:
    with suppress(APIException):
        JSONParser().parse(BytesIO(body))


@given(body=st.binary() | st.lists(st.sampled_from(FORM_SCRAPS)).map(b"".join))
@thoroughly
def test_any_bytes_are_a_form_or_refused(body: bytes) -> None:
    with suppress(APIException):
        FormParser().parse(BytesIO(body))


@given(value=json_values)
@thoroughly
def test_json_is_read_as_what_it_says(value: Any) -> None:
    assert JSONParser().parse(BytesIO(json.dumps(value).encode())) == value


@given(fields=st.lists(st.tuples(texts.filter(lambda name: not name.endswith("[]")), texts), max_size=9))
@thoroughly
def test_a_form_is_read_as_what_it_says(fields: list[tuple[str, str]]) -> None:
    form = FormParser().parse(BytesIO(urlencode(fields).encode()))
    assert dict(form.lists()) == {name: [value for key, value in fields if key == name] for name, _ in fields}


REFUSED: list[tuple[JSONParser | FormParser, bytes]] = [
    *((JSONParser(), scrap) for scrap in (b"NaN", b"[Infinity]", b'{"a": -Infinity}', b"[" * 100_000, b"9" * 5000)),
    *(
        (JSONParser(), scrap)
        for scrap in (b'"\\u0000"', b'{"\\u0000": 1}', b'["\\ud800"]', b'{"a": {"\\udc00\\ud800": []}}')
    ),
    *((FormParser(), scrap) for scrap in (b"a=%00", b"%00=a", b"a\x00", b"a=%ff", b"a=%ed%a0%80", b"a&" * 201)),
    *((JSONParser(), b" " * 102_400 + b"1"), (FormParser(), b"a=" + b"a" * 102_400)),
]


@pytest.mark.parametrize(("parser", "body"), REFUSED, ids=lambda part: str(part)[:20])
def test_what_no_body_may_hold_is_refused(parser: JSONParser | FormParser, body: bytes) -> None:
    with pytest.raises(APIException):
        parser.parse(BytesIO(body))


@pytest.mark.parametrize("parser", [JSONParser(), FormParser()])
@pytest.mark.parametrize("codec", ["utf-16", "utf-32", "latin-1"])
def test_a_body_in_another_encoding_is_refused(parser: JSONParser | FormParser, codec: str) -> None:
    with pytest.raises(APIException):
        parser.parse(BytesIO('"name=é"'.encode(codec)))
