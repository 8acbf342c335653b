"""Lines of requests are written a moment late, many at once; all else at once, in order, and nothing is lost."""

import logging
import time
from collections.abc import Callable, Iterator
from threading import Event, Thread

import pytest

from authproject.stderr import LATE, MOST, PIECE, RequestLine, StderrHandler
from tests.live import Server

pytestmark = pytest.mark.no_database


class Stream:
    """Remembers each write; fails once it is `broken`."""

    def __init__(self) -> None:
        self.writes: list[str] = []
        self.broken = False

    def write(self, text: str) -> None:
        if self.broken:
            raise OSError("gone")
        if text:
            self.writes.append(text)

    def flush(self) -> None:
        pass


@pytest.fixture
def handler() -> Iterator[StderrHandler]:
    handler = StderrHandler()
    handler.setStream(Stream())
    yield handler
    handler.close()


def writes_of(handler: StderrHandler) -> list[str]:
    return handler.stream.writes


def requested(handler: StderrHandler, *lines: object) -> None:
    for line in lines:
        handler.handle(RequestLine("test", logging.INFO, line))  # type: ignore[arg-type]


def said(handler: StderrHandler, text: str) -> None:
    handler.handle(logging.makeLogRecord({"msg": text}))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(LATE / 5)


def test_the_lines_of_several_requests_are_one_write(handler: StderrHandler) -> None:
    with handler.lock:  # type: ignore[union-attr]
        requested(handler, "one", "two", "three")
    until(lambda: bool(writes_of(handler)))
    assert writes_of(handler) == ["one\ntwo\nthree\n"]


def test_later_lines_are_written_too(handler: StderrHandler) -> None:
    requested(handler, "one")
    until(lambda: len(writes_of(handler)) == 1)
    requested(handler, "two")
    until(lambda: len(writes_of(handler)) == 2)
    assert writes_of(handler) == ["one\n", "two\n"]


def test_what_else_is_said_comes_at_once_and_after_the_lines_that_wait(handler: StderrHandler) -> None:
    requested(handler, "one", "two")
    said(handler, "failed")
    assert "".join(writes_of(handler)) == "one\ntwo\nfailed\n"


def test_no_write_is_more_than_a_pipe_takes_in_one_piece(handler: StderrHandler) -> None:
    lines = [f"{number} ".ljust(300, "x") for number in range(100)]
    requested(handler, *lines)
    handler.flush()
    assert max(map(len, writes_of(handler))) <= PIECE
    assert all(piece.endswith("\n") for piece in writes_of(handler))
    assert "".join(writes_of(handler)).splitlines() == lines


def test_a_line_that_is_longer_than_that_is_written_all_the_same(handler: StderrHandler) -> None:
    requested(handler, "short", "x" * PIECE, "short")
    handler.flush()
    assert "".join(writes_of(handler)) == f"short\n{'x' * PIECE}\nshort\n"


def test_no_more_wait_than_there_is_room_for(handler: StderrHandler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "_start_writer", lambda: None)
    requested(handler, *range(MOST))
    assert writes_of(handler) == []
    requested(handler, MOST)
    assert "".join(writes_of(handler)).splitlines() == [str(number) for number in range(MOST + 1)]


def test_no_request_waits_while_others_lines_are_written(handler: StderrHandler) -> None:
    writing, go_on = Event(), Event()

    def slowly(text: str) -> None:
        writing.set()
        assert go_on.wait(20)

    handler.stream.write = slowly
    requested(handler, "one")
    assert writing.wait(20)
    other = Thread(target=requested, args=(handler, "two"))
    other.start()
    other.join(5)
    assert not other.is_alive()
    go_on.set()


def test_a_line_that_cannot_be_made_fails_no_request(
    handler: StderrHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    handler.setFormatter(logging.Formatter("%(nothing)s"))
    requested(handler, "one")
    assert "KeyError" in capsys.readouterr().err


def test_a_stream_that_fails_fails_no_request(handler: StderrHandler, capsys: pytest.CaptureFixture[str]) -> None:
    with handler.lock:  # type: ignore[union-attr]
        requested(handler, "one")
        handler.stream.broken = True
        said(handler, "two")
    assert "Lines of requests could not be written" in capsys.readouterr().err


def test_a_filter_of_the_handler_keeps_lines_of_requests_away_too(handler: StderrHandler) -> None:
    handler.addFilter(lambda record: record.msg != "quiet")
    requested(handler, "quiet", "loud")
    handler.flush()
    assert "".join(writes_of(handler)) == "loud\n"


def test_somebody_elses_handler_finds_what_it_asks_a_record_for() -> None:
    usual = "%(asctime)s %(levelname)s %(name)s %(filename)s:%(lineno)d %(funcName)s %(process)s %(thread)s %(message)s"
    record = RequestLine("test", logging.INFO, {"event": "request"})
    assert "INFO test" in logging.Formatter(usual).format(record)


def test_a_server_that_stops_writes_the_lines_that_wait(start_server: Callable[..., Server]) -> None:
    server = start_server(LOG_FORMAT="json")
    with server.client() as http:
        http.get("/openapi.json")
    server.process.terminate()
    server.process.wait(timeout=60)
    assert '"route": "openapi.json"' in server.log.read_text()
