"""deploy/cluster finds out which node got furthest, and whether two of them belong together."""

import pytest

from deploy.cluster.galera import Position
from deploy.cluster.layout import Refused
from deploy.cluster.recovery import most_advanced

pytestmark = pytest.mark.no_database

HISTORY, ANOTHER = "dd7b12cb-e79d-11f1-9cf7-8766b9d3772d", "00000000-e79d-11f1-9cf7-8766b9d3772d"
LOG = f"""
2026-01-31 18:00:00 0 [Note] WSREP: Recovered position: {HISTORY}:41
2026-01-31 18:00:09 0 [Note] WSREP: Recovered position: {HISTORY}:42,0-1-42
"""


def test_the_position_is_what_the_log_said_last() -> None:
    assert Position.read(LOG) == Position(HISTORY, 42)


def test_a_log_that_names_no_position_gives_none() -> None:
    assert Position.read("WSREP: Failed to start mysqld for wsrep recovery") is None


def test_the_node_with_the_highest_number_is_the_most_advanced() -> None:
    assert most_advanced({1: Position(HISTORY, 41), 2: Position(HISTORY, 43), 3: Position(HISTORY, 42)}) == 2


def test_a_node_that_never_had_data_or_lost_count_is_passed_over() -> None:
    assert most_advanced({1: None, 2: Position(ANOTHER, -1), 3: Position(HISTORY, 0)}) == 3


def test_nodes_with_two_histories_are_left_to_somebody_who_looks() -> None:
    with pytest.raises(Refused, match="do not share one history"):
        most_advanced({1: Position(HISTORY, 41), 2: Position(ANOTHER, 43), 3: None})


def test_three_nodes_without_data_cannot_be_recovered() -> None:
    with pytest.raises(Refused):
        most_advanced({1: None, 2: None, 3: None})
