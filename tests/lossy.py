"""A way to the database that gets lost when it is told to: a TCP proxy between the server and MariaDB."""

import socket
import threading
from contextlib import suppress
from enum import Enum, auto

# As a server says it instead of its greeting: the error packet of 1040.
_ERROR = b"\xff\x10\x04Too many connections"
TOO_MANY_CONNECTIONS = len(_ERROR).to_bytes(3, "little") + b"\x00" + _ERROR


class Lose(Enum):
    """The connection of the next COMMIT: before the database has it, or before its answer is back."""

    COMMIT = auto()
    ANSWER = auto()


class LossyProxy:
    def __init__(self, port: int) -> None:
        self.database = ("127.0.0.1", port)
        self.losing: Lose | None = None
        self.has_lost = False
        self.is_there = True
        self.is_full = False
        self.passes_on = threading.Event()
        self.passes_on.set()
        self._open: set[socket.socket] = set()
        self._mute: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._accept()

    def lose(self, what: Lose) -> None:
        self.losing, self.has_lost = what, False

    def go_away(self) -> None:
        """Nobody listens, and all connections end."""
        self.is_there = False
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in list(self._open):
            self._end(each)

    def come_back(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.is_there = True
        self._accept()

    def _accept(self) -> None:
        threading.Thread(target=self._serve, args=[self._listener], daemon=True).start()

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client = listener.accept()[0]
                if self.is_full:
                    client.sendall(TOO_MANY_CONNECTIONS)
                    client.close()
                    continue
                database = socket.create_connection(self.database)
                self._open |= {client, database}
                for ends in ((client, database), (database, client)):
                    threading.Thread(target=self._pump, args=ends, daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while (data := source.recv(65536)) and source not in self._mute:
                if self.losing and data.endswith(b"\x03COMMIT"):
                    what, self.losing, self.has_lost = self.losing, None, True
                    if what is Lose.COMMIT:
                        break
                    self._mute.add(target)
                self.passes_on.wait()
                target.sendall(data)
        self._end(source)
        self._end(target)

    def _end(self, one: socket.socket) -> None:
        self._open.discard(one)
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
