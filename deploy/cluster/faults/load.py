"""The steady load: the actors in threads of their own, and what they need before they begin."""

from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

from deploy.cluster import copies
from deploy.cluster.client import PATIENCE, Answer, Client
from deploy.cluster.cluster import Cluster
from deploy.cluster.faults.actors import GIVES_UP, PASSWORD, Actor
from deploy.cluster.faults.ledger import Ledger, Person
from deploy.cluster.faults.people import Admin, Newcomer, Reader, Stayer
from deploy.cluster.layout import Refused

ADMIN, STAFF = "operator", 10


@dataclass
class Load:
    """At most some 40 requests a second, of which 4 or so cost a password hash."""

    cluster: Cluster
    ledger: Ledger = field(default_factory=Ledger)
    stop: Event = field(default_factory=Event)
    threads: list[Thread] = field(default_factory=list)
    actors: list[Actor] = field(default_factory=list)

    def prepare(self) -> None:
        """An admin, and people whose roles they change. Raises Refused."""
        port = self.cluster.layout.server_port
        created = copies.manage(
            self.cluster.layout, "create_user", ADMIN, f"{ADMIN}@example.com", "--role", "admin", stdin=f"{PASSWORD}\n"
        )
        if created:
            raise Refused("The admin could not be made.")
        common = self.ledger, port, self.stop
        staff = [self._staff(number) for number in range(STAFF)]
        self.actors = [
            Admin(*common, 0.5, self._token(ADMIN), staff),
            *(Newcomer(*common, 1.0) for _ in range(2)),
            *(Stayer(*common, 1.2) for _ in range(4)),
            *(Reader(*common, 0.2) for _ in range(4)),
        ]

    def _staff(self, number: int) -> tuple[int, Person, str]:
        person = Person(f"staff{number}", exists=True)
        client = Client(self.cluster.layout.server_port)
        _good(client.sign_up(person.name, PASSWORD))
        self.ledger.admit(person)
        token = self._token(person.name)
        return _good(client.get("/api/auth/me", token))["id"], person, token

    def _token(self, name: str) -> str:
        return _good(Client(self.cluster.layout.server_port).sign_in(name, PASSWORD))["accessToken"]

    def begin(self) -> None:
        self.stop.clear()
        self.threads = [Thread(target=actor.run, daemon=True) for actor in self.actors]
        for thread in self.threads:
            thread.start()

    def end(self) -> None:
        """Nobody asks for anything when it returns. Raises Refused if one of them does not come to an end."""
        self.stop.set()
        for thread in self.threads:
            thread.join(PATIENCE + GIVES_UP)
        if any(thread.is_alive() for thread in self.threads):
            raise Refused("A client does not come to an end.")

    @property
    def admin(self) -> Admin:
        return next(actor for actor in self.actors if isinstance(actor, Admin))


def _good(answer: Answer) -> Any:
    if answer.status != 200:
        raise Refused(f"Before anything was broken, an answer was {answer}.")
    return answer.body
