"""Who uses the service meanwhile."""

import random
from dataclasses import dataclass

from deploy.cluster.client import Answer, Client
from deploy.cluster.faults.actors import PASSWORD, Actor, Broken, address, numbers
from deploy.cluster.faults.ledger import Person

# Seconds for which an admin who was not answered leaves it.
RELUCTANCE = 3.0


class Newcomer(Actor):
    """Signs up, comes in at once, looks around, and leaves for good."""

    def step(self) -> None:
        number = next(numbers)
        self.client = Client(self.port, address(number))
        person = Person(f"newcomer{number}")
        self.ledger.admit(person)
        self._sign_up(person)
        if not person.exists:
            return
        if not (tokens := self.sign_in(person)):
            return
        token = tokens["accessToken"]
        look = lambda: self.client.get("/api/test/user", token)  # noqa: E731
        self.expect("guarded", look, 200, f"{person.name} had signed in and is not let in")
        leave = self.ask("sign-out", lambda: self.client.post("/api/auth/signout", {}, token), 200)
        if leave and leave.status == 200:
            self.expect("guarded", look, 401, f"{person.name} had signed out and is still let in")

    def _sign_up(self, person: Person) -> None:
        tries = 0

        def request() -> Answer:
            nonlocal tries
            tries += 1
            return self.client.sign_up(person.name, PASSWORD)

        answer = self.ask("sign-up", request, 200)
        if answer is None:
            return
        # Somebody whose first answer was lost may find that the name is taken: by themselves.
        person.exists = answer.status == 200 or (tries > 1 and "already in use" in str(answer.body))
        if not person.exists:
            raise Broken(f"{person.name} cannot sign up: {answer}")


class Stayer(Actor):
    """Signed in once, and goes on from refresh to refresh."""

    def step(self) -> None:
        if self.tokens is None:
            person = random.choice([each for each in self.ledger.people if each.exists])
            self.tokens = self.sign_in(person)
        else:
            self.go_on()
        if self.tokens:
            look = lambda: self.client.get("/api/test/user", self.tokens["accessToken"])  # noqa: E731
            self.expect("guarded", look, 200, "A session that nobody revoked is not let in")

    def go_on(self) -> None:
        body = {"refreshToken": self.tokens["refreshToken"]}
        again = lambda: self.client.post("/api/auth/refreshtoken", body)  # noqa: E731
        found = self.expect("refresh", again, 200, "A session that nobody revoked is not refreshed")
        self.tokens = found or self.tokens


class Reader(Stayer):
    """Signed in once, and reads."""

    def go_on(self) -> None:
        """Its token is good for an hour."""


@dataclass
class Admin(Actor):
    """Makes people moderators, and takes that back; who is told so looks whether it is true."""

    token: str
    # The id, and a token of each.
    staff: list[tuple[int, Person, str]]

    def step(self) -> None:
        number, person, token = random.choice(self.staff)
        if person.moderates is None:
            return
        wanted = not person.moderates
        answer = self._change(number, wanted=wanted)
        self.ledger.note("role", answer, good=answer.status in {201, 204})
        if answer.status not in {201, 204}:
            # It may be carried out yet, so nothing more is asked for this person; and not all are to end like that.
            person.moderates = None
            self.stop.wait(RELUCTANCE)
            if not answer.is_lost:
                raise Broken(f"The role of {person.name} cannot be changed: {answer}")
            return
        person.moderates = wanted
        text = f"{person.name} was told {'to be' if wanted else 'not to be'} a moderator and is answered otherwise"
        self.expect("guarded", lambda: self.client.get("/api/test/mod", token), 200 if wanted else 403, text)

    def _change(self, number: int, *, wanted: bool) -> Answer:
        path = f"/api/users/{number}/roles"
        if wanted:
            return self.client.post(path, {"role": "moderator"}, self.token)
        return self.client.call("DELETE", f"{path}/moderator", None, self.token)
