"""The fault tests count what they should, end only their own processes, and believe no answer that is none."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event
from unittest.mock import patch

import pytest

from deploy.cluster.client import Answer, Client
from deploy.cluster.faults.actors import Actor, Broken, address
from deploy.cluster.faults.ledger import Ledger, Seen, failures, longest_gap
from deploy.cluster.faults.people import Newcomer
from deploy.cluster.layout import Refused
from deploy.cluster.processes import Process, wait_until
from tests.live import free_port

pytestmark = pytest.mark.no_database

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
TAKEN = Answer(400, {"message": "Failed! Username is already in use!"}, 0)
LOST = Answer(503, {}, 0)


def test_the_longest_gap_is_found_between_two_answers() -> None:
    assert longest_gap([8, 1, 2], 0, 9) == 6


def test_the_longest_gap_reaches_to_the_end_if_nothing_was_answered() -> None:
    assert longest_gap([], 3, 10) == 7


def test_only_answers_of_5xx_and_none_are_failures() -> None:
    assert failures([Seen("guarded", 0, status, False) for status in (200, 403, 503, 0, 503)]) == {0: 1, 503: 2}


def test_a_connection_that_is_refused_is_a_lost_answer() -> None:
    assert Client(free_port()).get("/").is_lost


def test_an_answer_is_printed_without_its_tokens() -> None:
    assert "eyJ" not in str(Answer(200, {"accessToken": "eyJ"}, 0))


def test_no_two_clients_have_one_address() -> None:
    assert len({address(number) for number in range(100_000)}) == 100_000


def newcomer(*answers: Answer) -> Ledger:
    """What stands in the ledger after the first step of a newcomer, whose sign-up is answered so. Raises Broken."""
    ledger, stop = Ledger(), Event()
    if len(answers) == 1:
        stop.set()  # so that nothing is tried again
    with patch.object(Client, "sign_up", side_effect=answers), patch.object(Actor, "sign_in", return_value=None):
        Newcomer(ledger, 0, stop, 0).step()
    return ledger


def test_a_name_that_is_taken_at_the_first_try_is_a_broken_promise() -> None:
    with pytest.raises(Broken):
        newcomer(TAKEN)


def test_a_name_that_is_taken_after_a_lost_answer_is_ones_own() -> None:
    assert [person.exists for person in newcomer(LOST, TAKEN).people] == [True]


def test_a_sign_up_without_an_answer_is_not_known_to_exist() -> None:
    assert [person.exists for person in newcomer(LOST).people] == [None]


def test_a_process_is_not_taken_for_another_with_the_same_id(tmp_path: Path) -> None:
    (tmp_path / "n1.pid").write_text(f"{os.getpid()} 1\n")
    assert Process("n1", tmp_path).pid is None


def test_a_process_is_killed_together_with_its_children(tmp_path: Path) -> None:
    process = Process("copy1", tmp_path)
    process.start(["sh", "-c", "sleep 60 & wait"])
    wait_until(lambda: bool(process.children()), 10, "The shell started nothing.")
    child = Path(f"/proc/{process.children()[0]}/stat")
    process.kill()
    # Whoever takes in orphans may not have looked yet.
    wait_until(lambda: not child.exists() or ") Z " in child.read_text(), 10, "The child lives.")


def test_a_process_that_does_not_run_cannot_be_killed(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="does not run"):
        Process("n1", tmp_path).kill()


def test_what_was_stopped_by_a_signal_can_still_be_ended(tmp_path: Path) -> None:
    process = Process("n1", tmp_path)
    process.start(SLEEP)
    process.send(signal.SIGSTOP)
    process.stop(within=10)
    assert process.pid is None


def test_the_command_says_what_is_wrong_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.cluster", "--folder", str(tmp_path), "status"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
