"""What the time of a sign-in tells: `python -m bench.sign_in_times [N]`, and again under `python -m tests.mariadb`.

N sign-ins of each kind (250 unless you say), in rounds of random order, one after the other, over HTTP to the real
server; once where all hashes are Argon2id, and once where the database holds bcrypt hashes of the costs 8 and 10 too.
"""

import random
import sys
import time
from statistics import median, quantiles

import httpx

from bench.real_server import started

PASSWORD, WRONG = "correct horse battery", "incorrect horse battery"
PEOPLE = 20

SEED = f"""
import bcrypt
from accounts.models import Actor, User
from accounts.services import create_user
old = lambda cost: "bcrypt$" + bcrypt.hashpw({PASSWORD!r}.encode(), bcrypt.gensalt(cost, b"2a")).decode()
for kind in KINDS:
    for number in range({PEOPLE}):
        name = f"{{kind}}{{number}}"
        user = create_user(username=name, email=f"{{name}}@example.com", password={PASSWORD!r}, by=Actor())
        changed = {{"is_active": "inactive" not in kind}}
        if "bcrypt" in kind:
            changed["password"] = old(10 if number % 2 else 8)
        User.objects.filter(pk=user.pk).update(**changed)
"""

# Each kind of account, and the password that is tried; the last is answered with tokens, and so may differ.
MODERN = {"known": WRONG, "unknown": PASSWORD, "inactive": PASSWORD, "right": PASSWORD}
WITH_OLD = {"bcrypt": WRONG, "inactive_bcrypt": PASSWORD, **MODERN}


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 250
    for kinds in (MODERN, WITH_OLD):
        with started(SESSIONS_PER_USER="10000") as server:
            seeded = [kind for kind in kinds if kind != "unknown"]
            server.manage("shell", "-c", SEED.replace("KINDS", repr(seeded)))
            print(server.environment["DATABASE_URL"].split(":")[0], "with bcrypt" if "bcrypt" in kinds else "")
            with server.client() as client:
                report(measure(client, kinds, times))


def measure(client: httpx.Client, kinds: dict[str, str], times: int) -> dict[str, list[float]]:
    """Milliseconds of each sign-in, by kind."""
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    answers: set[tuple[int, bytes, tuple[str, ...]]] = set()
    # Each round has one of each kind, so that what else the machine does meets them alike.
    order = [kind for _ in range(times) for kind in random.sample(list(kinds), len(kinds))]
    for kind in order[:50]:
        sign_in(client, kind, kinds[kind])
    for kind in order:
        clock = time.perf_counter()
        answer = sign_in(client, kind, kinds[kind])
        found[kind].append((time.perf_counter() - clock) * 1000)
        if kind != "right":
            answers.add((answer.status_code, answer.content, tuple(sorted(set(answer.headers) - {"x-request-id"}))))
    assert len(answers) == 1, answers
    print("refused alike with", answers)
    return found


def sign_in(client: httpx.Client, kind: str, password: str) -> httpx.Response:
    body = {"username": f"{kind}{random.choice(range(PEOPLE))}", "password": password}
    answer = client.post("/api/auth/signin", json=body)
    assert answer.status_code == (200 if kind == "right" else 401), answer.text
    return answer


def report(found: dict[str, list[float]]) -> None:
    known = median(found["known"])
    print("| | n | p5 | median | p95 | median, compared with known |\n|---|---|---|---|---|---|")
    for kind, times in found.items():
        low, *_, high = quantiles(times, n=20)
        more = median(times) / known - 1
        print(f"| {kind} | {len(times)} | {low:.1f} | {median(times):.1f} | {high:.1f} | {more:+.1%} |")


if __name__ == "__main__":
    main()
