"""The examples of /openapi.json are what the server answers.

`UPDATE_EXAMPLES=1 script/test -n 0 tests/test_schema_examples.py` writes them down, after a change for good.
"""

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from jsonschema_rs import Draft202012Validator
from pytest_django import Settings

from accounts.models import User
from authproject import examples, schema
from tests import house
from tests.conformity import JSON, strict
from tests.talking import conversation, refusals
from tests.talking.recorder import Json, Recorder

DELIVERIES = ("body", "cookie", "both")
ERROR = "#/components/schemas/Error"


@pytest.mark.django_db
def test_the_server_still_answers_as_it_did_when_they_were_written_down(make_user: Callable[..., User]) -> None:
    with time_machine.travel(datetime(2026, 1, 31, 12, tzinfo=UTC), tick=False) as clock:
        make_user("grace", "admin")
        recorder = Recorder(clock)
        conversation.hold(recorder)
        refusals.hold(recorder)
    said = recorder.kept()
    if os.environ.get("UPDATE_EXAMPLES"):
        examples.FILE.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n")
    assert said == json.loads(examples.FILE.read_text())


def described(settings: Settings, delivery: str) -> Json:
    settings.TOKEN_DELIVERY = delivery
    return schema.generate()


def bodies(document: Json) -> Iterator[tuple[str, Json]]:
    """What is described of each body that can be sent or answered, but for pages, and where that is."""
    for operation in house.operations(document):
        name = operation["operationId"]
        if "requestBody" in operation:
            yield f"{name}, request", operation["requestBody"]["content"][JSON]
        for status, answer in operation["responses"].items():
            kinds = answer.get("content", {}).items()
            yield from ((f"{name} {status}", media) for kind, media in kinds if kind != "text/html")


def values(media: Json, document: Json) -> Iterator[Any]:
    for example in media["examples"].values():
        name = example.get("$ref", "").rpartition("/")[2]
        yield (document["components"]["examples"][name] if name else example)["value"]


@pytest.mark.parametrize("delivery", ["body", "both"])
def test_every_request_and_every_answer_has_one(settings: Settings, delivery: str) -> None:
    assert [name for name, media in bodies(described(settings, delivery)) if not media.get("examples")] == []


def test_where_tokens_come_in_cookies_a_refresh_needs_no_body(settings: Settings) -> None:
    without = [name for name, media in bodies(described(settings, "cookie")) if not media.get("examples")]
    assert without == ["auth_refreshtoken, request"]


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_each_is_as_its_schema_says(settings: Settings, delivery: str) -> None:
    document = described(settings, delivery)
    components = strict({"components": document["components"]})
    for name, media in bodies(document):
        validator = Draft202012Validator({**strict(media["schema"]), **components}, validate_formats=True)
        for value in values(media, document) if "examples" in media else ():
            assert [error.message for error in validator.iter_errors(value)] == [], name


def test_what_stands_in_a_path_is_as_its_schema_says() -> None:
    operations = house.operations(schema.generate())
    named = [found for operation in operations for found in operation.get("parameters", ()) if found["in"] == "path"]
    wrong = [found for found in named if not Draft202012Validator(found["schema"]).is_valid(found.get("example"))]
    assert named
    assert wrong == []


def test_no_token_is_in_them() -> None:
    assert "eyJ" not in examples.FILE.read_text().replace("eyJ…", "")


def test_a_view_of_your_own_gets_those_that_all_have() -> None:
    responses: Json = {status: {"content": {JSON: {"schema": {"$ref": ERROR}}}} for status in ("400", "403", "500")}
    yours = {"operationId": "report_list", "security": [{"bearer": []}], "responses": responses}
    examples.put_in({"paths": {"/api/reports": {"get": yours}}, "components": {}}, None, None, True)
    assert {status: list(answer["content"][JSON]["examples"]) for status, answer in responses.items()} == {
        "400": ["for_a_host_that_is_not_ours"],
        "403": ["no_token_was_sent"],
        "500": ["an_error_of_ours"],
    }
