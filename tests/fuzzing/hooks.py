"""What schemathesis is told beyond the description: who it is, what exists, and which refusals are no fault.

tests/test_fuzzing.py says who calls in FUZZ_TOKEN, an access token or nothing, and in FUZZ_KNOWN, by path, what it
would otherwise have to guess.
"""

import json
import os
from base64 import urlsafe_b64decode
from itertools import count
from typing import Any

import schemathesis
from schemathesis.generation import GenerationMode
from schemathesis.openapi.checks import RejectedPositiveData


def _claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))


TOKEN = os.environ["FUZZ_TOKEN"]
SELF = _claims(TOKEN) if TOKEN else {"id": None, "sid": None}
KNOWN = json.loads(os.environ["FUZZ_KNOWN"])
numbers = count(1)


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    return not _ends_itself(case) and not _holds_null_in_a_form(case)


def _ends_itself(case: Any) -> bool:
    """Who deactivates or renames themselves is refused all that comes after, for that alone."""
    named = {str(value) for value in (case.path_parameters or {}).values()}
    return case.method != "GET" and bool(named & {str(SELF["id"]), SELF["sid"]})


def _holds_null_in_a_form(case: Any) -> bool:
    """A form has no null: it would be sent as the word. An empty moment is one there, and so it is not refused."""
    is_form = case.media_type == "application/x-www-form-urlencoded" and isinstance(case.body, dict)
    return is_form and (None in case.body.values() or case.body.get("expiresAt") == "")


@schemathesis.hook
def map_case(context: Any, case: Any) -> Any:
    """Every second right request gets values that pass the rules too, so that what comes after is reached."""
    number = next(numbers)
    is_right = case.meta is None or case.meta.generation.mode is GenerationMode.POSITIVE
    if is_right and number % 2:
        name = f"name{number}"
        known = {"name": name, "username": name, "email": f"{name}@example.com", **KNOWN.get(case.path, {})}
        for sent in (case.body, case.path_parameters):
            if isinstance(sent, dict):
                sent.update({field: value for field, value in known.items() if field in sent})
    return case


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """A 400 without `errors` is a decision on values whose shape was right: a name that is taken, a wrong password."""
    is_decision = response.status_code == 400 and "errors" not in response.json()
    return not (isinstance(failure, RejectedPositiveData) and is_decision)
