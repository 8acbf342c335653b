"""What must hold after each fault, asked of the service as a client would, and of each node in SQL."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from deploy.cluster.client import Client
from deploy.cluster.cluster import Cluster
from deploy.cluster.faults.actors import PASSWORD
from deploy.cluster.faults.ledger import Ledger, Person
from deploy.cluster.faults.people import Admin
from deploy.cluster.galera import Node

# Sessions end because their owners sign out, and for no other reason here.
REVOKED = "SELECT COUNT(*) FROM accounts_session WHERE revoked_at IS NOT NULL AND revoked_reason <> 'signed_out'"
# Of each account: its name, its email, how many roles it has, and how often it was entered as signed up.
ACCOUNTS = """
    SELECT username, email,
        (SELECT COUNT(*) FROM accounts_rolegrant WHERE user_id = u.id),
        (SELECT COUNT(*) FROM accounts_auditentry
         WHERE subject_id = u.id AND action IN ('signed_up', 'account_created'))
    FROM accounts_user u"""
ORPHANS = """
    SELECT COUNT(*) FROM accounts_auditentry
    WHERE action = 'signed_up' AND subject_id NOT IN (SELECT id FROM accounts_user)"""
TABLES = ("accounts_user", "accounts_rolegrant", "accounts_session", "accounts_auditentry")


def check(cluster: Cluster, ledger: Ledger, admin: Admin, newly: list[Person]) -> None:
    """Complains in the ledger of what does not hold; `newly` are those whose accounts were not checked before."""
    client = Client(cluster.layout.server_port)
    with ThreadPoolExecutor(4) as several:
        for person, complaint in zip(newly, several.map(lambda each: _sign_in(client, each), newly), strict=True):
            if complaint:
                ledger.complain(f"{person.name} {complaint}")
    for _, person, token in admin.staff:
        status = client.get("/api/test/mod", token).status
        if status not in ({200, 403} if person.moderates is None else {200 if person.moderates else 403}):
            ledger.complain(f"{person.name} was told moderator={person.moderates}, and is answered {status}")
        # Nothing is under way any more, so what is so now stays so.
        person.moderates = status == 200
    for node in cluster.nodes.values():
        _check_node(node, ledger)
    _compare(list(cluster.nodes.values()), ledger)


def _sign_in(client: Client, person: Person) -> str:
    """What is wrong, if anything. An account of which no answer told is there as a whole or not at all."""
    answer = client.sign_in(person.name, PASSWORD)
    if answer.status == 200:
        client.post("/api/auth/signout", {}, answer.body["accessToken"])
        roles = answer.body["roles"]
        return "" if "ROLE_USER" in roles else f"signed up, and holds {roles}"
    if answer.status == 401 and person.exists is None:
        return ""
    return f"signed up, and is answered {answer}"


def _check_node(node: Node, ledger: Ledger) -> None:
    rows = _ask(node, ACCOUNTS)
    for column, what in ((0, "username"), (1, "email")):
        for name, count in Counter(row[column].casefold() for row in rows).items():
            if count > 1:
                ledger.complain(f"The {what} {name} exists {count} times on {node.name}")
    for name, _, roles, entries in rows:
        if not roles or entries != 1:
            ledger.complain(f"{name} is there by half on {node.name}: {roles} roles, {entries} entries of the audit")
    there = {row[0] for row in rows}
    for person in ledger.people:
        if person.exists and person.name not in there:
            ledger.complain(f"{person.name} had signed up and is missing on {node.name}")
    if _ask(node, REVOKED)[0][0]:
        ledger.complain(f"Sessions were revoked by nobody on {node.name}")
    if _ask(node, ORPHANS)[0][0]:
        ledger.complain(f"The audit on {node.name} tells of sign-ups of which there is no account")


def _compare(nodes: list[Node], ledger: Ledger) -> None:
    """Row by row: CHECKSUM TABLE differs between nodes for equal rows, where a column is generated."""
    for table in TABLES:
        held = Counter(str(row) for node in nodes for row in _ask(node, f"SELECT * FROM {table}"))
        if differing := sum(count != len(nodes) for count in held.values()):
            ledger.complain(f"{differing} rows of {table} are not the same on all nodes")


def _ask(node: Node, statement: str) -> list[tuple[Any, ...]]:
    return node.query(statement, "authproject")
