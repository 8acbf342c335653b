"""Fills a database as it looks after forty days of use: users, grants, sessions, audit entries, counts.

They are copies of what one person's sign-up and sign-in left, made by the database itself, with what has to differ.
"""

from contextlib import closing
from dataclasses import dataclass
from typing import Any

from bench.growth_fill import FIRST, LASTING, OURS, connect, copy, query

# One person signs in by a program, all day long, and never signs out.
HEAVY = "person1"
# Roles that the grants are spread over, past `user` and `moderator`; every hundredth user holds RARE too.
SPREAD, RARE = "role{}", "rare"
DEVICE = "'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0'"
DAYS = 40
MICROSECONDS = DAYS * 86_400 * 1_000_000


@dataclass(frozen=True)
class Size:
    users: int
    grants_per_user: int
    sessions: int
    entries: int

    def divided(self, by: int) -> "Size":
        return Size(self.users // by, self.grants_per_user, self.sessions // by, self.entries // by)

    @property
    def heavy(self) -> int:
        """How many sessions the one has who signs in all day long."""
        return self.sessions // 100

    @property
    def roles(self) -> list[str]:
        return ["moderator", *(SPREAD.format(number) for number in range(3, self.grants_per_user + 1))]


def fill(database: str, size: Size) -> None:
    """`database` is the URL of one where FIRST has signed up, holds `size.roles` and has signed in."""
    with closing(connect(database)) as connection:
        # Else it would look up each row's user, and the copies need no looking up.
        query(connection, "SET SESSION foreign_key_checks = 0, SESSION unique_checks = 0, @now = UTC_TIMESTAMP(6)")
        _people(connection, size)
        # In the order of their keys, as they come in real life.
        _sessions(connection, size.sessions, f"user_id + seq MOD {size.users}", MICROSECONDS)
        _sessions(connection, size.heavy, "user_id + 1", 20 * 3600 * 1_000_000, salt="heavy")
        _entries(connection, size)
        connection.commit()
        for table in (*OURS, "accounts_auditseal"):
            query(connection, f"ANALYZE TABLE {table}")


def _people(connection: Any, size: Size) -> None:
    for table in ("accounts_user", "accounts_counter"):
        copy(connection, table, OURS[table], size.users - 1, LASTING.get(table, "TRUE"))
    grant = {"id": "id + seq * 100", "user_id": "user_id + seq"}
    run_out = "IF(role_id > 3 AND seq MOD 10 = 0, @now - INTERVAL 1 DAY, NULL)"
    copy(connection, "accounts_rolegrant", {**grant, "expires_at": run_out}, size.users - 1)
    query(connection, f"INSERT INTO accounts_role (name, description) VALUES ('{RARE}', '')")
    rare = {"id": "id + seq * 100 + 99", "user_id": "user_id + seq * 100", "role_id": "LAST_INSERT_ID()"}
    copy(connection, "accounts_rolegrant", rare, size.users // 100 - 1, "id = 1")
    run_out_count = {"key": "SHA2(CONCAT('run out', seq), 256)", "expires_at": "@now - INTERVAL seq SECOND"}
    copy(connection, "accounts_counter", {**run_out_count, "familiar_until": "NULL"}, size.users // 10, "TRUE LIMIT 1")


def _uuid7(moment: str, salt: str) -> str:
    """Of that moment; what is random in it comes from `seq`."""
    milliseconds = f"LPAD(HEX(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', {moment}) DIV 1000), 12, '0')"
    random = f"SHA2(CONCAT('{salt}', seq), 256)"
    digits = f"CONCAT({milliseconds}, '7', LEFT({random}, 3), '8', RIGHT({random}, 15))"
    return f"INSERT(INSERT(INSERT(INSERT({digits}, 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-')"


def _sessions(connection: Any, number: int, user: str, microseconds: int, salt: str = "") -> None:
    """Opened one after the other until now. Of those that are not too old, one in ten was signed out and one in twenty
    forgotten; the others are refreshed every day."""
    opened = f"(@now - INTERVAL ({number} - seq) * {microseconds // number} MICROSECOND)"
    is_old = f"{opened} < @now - INTERVAL 30 DAY"
    used_up_to = f"IF({is_old} OR seq MOD 20 = 7, {opened}, @now - INTERVAL seq MOD 72000 SECOND)"
    used = f"GREATEST({opened}, {used_up_to})"
    ended = "seq MOD 10 = 3" if not salt else f"seq < {number} - 45"
    moments = dict.fromkeys(("last_used_at", "current_issued_at", "confirmed_at"), used)
    differences = {
        **moments,
        "id": _uuid7(opened, salt),
        "user_id": user,
        "user_agent": DEVICE,
        "opened_at": opened,
        "idle_expires_at": f"LEAST({used} + INTERVAL 86460 SECOND, {opened} + INTERVAL 30 DAY)",
        "expires_at": f"{opened} + INTERVAL 30 DAY",
        "revoked_at": f"IF({ended}, {used}, NULL)",
        "revoked_reason": f"IF({ended}, '{'surplus' if salt else 'signed_out'}', '')",
    }
    copy(connection, "accounts_session", differences, number, f"user_id = {_id_of_first()} LIMIT 1")


def _id_of_first() -> str:
    return f"(SELECT id FROM accounts_user WHERE username = '{FIRST}')"


def _entries(connection: Any, size: Size) -> None:
    """Nearly all sealed. One in a thousand tells of a grant that FIRST gave; the very first, of roles deleted."""
    query(
        connection,
        "INSERT INTO accounts_auditseal VALUES (1, @now, @now, '', REPEAT('0', 64), '', REPEAT('0', 64), NULL, '')",
    )
    moment = f"(@now - INTERVAL ({size.entries} - seq) * {MICROSECONDS // size.entries} MICROSECOND)"
    person = f"subject_id + seq MOD {size.users}"
    usual = "ELT(1 + (seq MOD 20 IN (3, 13)) + 2 * (seq MOD 20 = 7), 'signed_in', 'signed_out', 'sign_in_failed')"
    differences = {
        "id": _uuid7(moment, "entry"),
        "at": moment,
        "action": f"IF(seq <= 3, 'role_deleted', IF(seq MOD 1000 = 0, 'role_granted', {usual}))",
        "actor_id": f"IF(seq MOD 1000 = 0, subject_id, {person})",
        "subject_id": person,
        "user_agent": DEVICE,
        "via": "IF(seq <= 3, 'command', 'api')",
        "seal_id": f"IF(seq <= {size.entries} - 5000, 1, NULL)",
    }
    copy(connection, "accounts_auditentry", differences, size.entries, "action = 'signed_in' LIMIT 1")
