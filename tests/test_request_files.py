"""docs/authproject.http and the Postman collection: made from /openapi.json, and every request in them is answered."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from authproject import schema
from authproject.request_files import FILES
from authproject.walk import BEGINNING, END, requests
from tests import house
from tests.conftest import PASSWORD
from tests.http_file import HttpFile
from tests.live import ROOT, Server

METRICS_TOKEN = "U7kqZ1vXw3sNfR9tYbLmEoPaCdGhJiKx5u8QzW2n4y6"
COLLECTION = ROOT / "docs" / "authproject.postman_collection.json"

pytestmark = pytest.mark.no_database


@pytest.fixture(scope="module")
def server(start_server: Callable[..., Server]) -> Server:
    """One that has an admin, and nobody else."""
    server = start_server(WORKERS="1", METRICS_TOKEN=METRICS_TOKEN)
    server.manage("create_user", "grace", "grace@example.com", "--role", "admin", stdin=f"{PASSWORD}\n")
    return server


@pytest.fixture(scope="module")
def ours() -> list[bool]:
    """Of each request, whether it is one of ours: what becomes of those to your own app, its data decide."""
    document = schema.generate()
    steps = {step.name: step.operation for step in (*BEGINNING, *END)}
    known = {operation["operationId"] for operation in house.operations(document)}
    return [steps.get(request.name, request.name) in known for request in requests(document)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_they_are_what_script_collections_makes_now(path: Path) -> None:
    assert path.read_text() == FILES[path](schema.generate())


def test_every_operation_is_in_them() -> None:
    document = schema.generate()
    named = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert {request.name for request in requests(document)} >= set(named)


def test_the_http_file_can_be_sent_from_the_first_request_to_the_last(server: Server, ours: list[bool]) -> None:
    text = (ROOT / "docs" / "authproject.http").read_text()
    with server.client() as client:
        sent = list(HttpFile(text, base=server.url, metricsToken=METRICS_TOKEN).sent(client))
    assert [one for one, is_ours in zip(sent, ours, strict=True) if is_ours and one[1] >= 400] == []
    assert len(sent) == text.count("\n### ")


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_the_postman_collection_can_be_sent_and_its_scripts_hand_on_what_is_needed(
    server: Server, ours: list[bool], tmp_path: Path
) -> None:
    # Bob is there already, by the requests of the other file.
    copy = tmp_path / "collection.json"
    copy.write_text(COLLECTION.read_text().replace("bob@", "bill@").replace(': \\"bob', ': \\"bill'))
    program = ("node", str(ROOT / "tests" / "node" / "postman.mjs"), str(copy))
    variables = (f"base={server.url}", f"metricsToken={METRICS_TOKEN}")
    done = subprocess.run([*program, *variables], capture_output=True, text=True, check=True, timeout=120)
    sent = [json.loads(line) for line in done.stdout.splitlines()]
    refused = [one for one, is_ours in zip(sent, ours, strict=True) if is_ours and not isinstance(one["status"], int)]
    assert refused == []
    assert len(sent) == len(json.loads(COLLECTION.read_text())["item"])
