"""The audit trail: what was done, by whom, to whom, when and from where. Rows are added, and sealed; never changed."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hmac import digest
from ipaddress import ip_address
from typing import Any, ClassVar

from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone
from structlog import get_logger

from accounts.conf import conf
from accounts.models.compiled import Insert
from accounts.models.ids import new_id
from accounts.transactions import proof, retrying, same_at_each_try

log = get_logger(__name__)


class Action(models.TextChoices):
    SIGNED_UP = "signed_up"
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    TOKEN_REUSED = "token_reused"
    SESSIONS_REVOKED = "sessions_revoked"
    PASSWORD_CHANGED = "password_changed"
    PASSWORD_CHECK_FAILED = "password_check_failed"
    ACCOUNT_CREATED = "account_created"
    ACCOUNT_CHANGED = "account_changed"
    ACCOUNT_ACTIVATED = "account_activated"
    ACCOUNT_DEACTIVATED = "account_deactivated"
    ACCOUNT_DELETED = "account_deleted"
    ROLE_GRANTED = "role_granted"
    ROLE_REVOKED = "role_revoked"
    ROLE_CREATED = "role_created"
    ROLE_CHANGED = "role_changed"
    ROLE_DELETED = "role_deleted"
    AUDIT_PRUNED = "audit_pruned"
    SIGNING_KEY_ROTATED = "signing_key_rotated"


class Via(models.TextChoices):
    API = "api"
    ADMIN = "admin"
    COMMAND = "command"


@dataclass(frozen=True)
class Actor:
    """Who does something, and through which door; `user_id` is None for nobody signed in, and for an operator
    at the command line."""

    user_id: int | None = None
    via: str = "command"
    address: str = ""
    user_agent: str = ""

    @classmethod
    def seen(cls, environ: Mapping[str, Any], *, user_id: int | None, via: str) -> "Actor":
        """As a request's environ (PEP 3333) tells of them."""
        address, user_agent = environ.get("REMOTE_ADDR", ""), environ.get("HTTP_USER_AGENT", "")
        return cls(user_id=user_id, via=via, address=address, user_agent=user_agent)

    @property
    def ip_address(self) -> str | None:
        """None for what is no address, such as the socket that a proxy on the same machine may connect by. An IPv4
        address is always written as one, also where a dual-stack socket has it as ::ffff:192.0.2.1."""
        return _ip_address(self.address)


# The same clients come again.
@lru_cache(maxsize=1024)
def _ip_address(text: str) -> str | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


class AuditManager(models.Manager["AuditEntry"]):
    def record(self, action: Action, *, by: Actor, subject_id: int | None = None, **detail: Any) -> "AuditEntry":
        """Adds an entry; inside the transaction of what it tells of, so that both are kept or neither.

        `subject_id` is whom it was done to. People are named by their ids only, so that a deleted account leaves
        no name behind. `detail` holds what else JSON can; never a password or token.
        """
        entry = self._made(action, by, subject_id, detail)
        if connection.in_atomic_block:
            _ENTRY.add(entry)
            proof(entry, told_by="mac")
        else:
            # The second of two tries finds that the first was carried out.
            with suppress(IntegrityError):
                _add_alone(entry)
        # An operator at the command line sees what they do, and needs no line of log among it.
        if by.via != Via.COMMAND:
            transaction.on_commit(entry.log)
        return entry

    def record_all(self, said: Iterable[tuple[Action, int, dict[str, Any]]], *, by: Actor) -> None:
        """As `record`, for many at once by an operator: an action, whom it was done to, and the detail of each."""
        entries = [self._made(action, by, subject_id, detail) for action, subject_id, detail in said]
        for entry in self.bulk_create(entries)[:1]:
            proof(entry, told_by="mac")

    def _made(self, action: Action, by: Actor, subject_id: int | None, detail: dict[str, Any]) -> "AuditEntry":
        entry = self.model(
            id=same_at_each_try(new_id),
            at=timezone.now(),
            action=action,
            actor_id=by.user_id,
            subject_id=subject_id,
            via=by.via,
            address=by.ip_address,
            user_agent=by.user_agent[:255],
            detail=json.dumps(detail, sort_keys=True) if detail else "",
        )
        entry.mac = entry.expected_mac()
        return entry


class AuditSeal(models.Model):
    """A batch of entries, chained to the batch before by `previous_mac`; see accounts/sealing.py."""

    number = models.PositiveBigIntegerField(primary_key=True)
    sealed_at = models.DateTimeField()
    newest_entry_at = models.DateTimeField()
    manifest = models.TextField(blank=True, help_text="The id and the MAC of each entry, one a line; none once pruned.")
    manifest_digest = models.CharField(max_length=64)
    previous_mac = models.CharField(max_length=64, blank=True)
    mac = models.CharField(max_length=64)
    pruned_at = models.DateTimeField(null=True)
    pruned_mac = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return f"seal {self.number}"

    def expected_mac(self) -> str:
        """Over all but the mark of pruning and the manifest itself, which pruning empties."""
        said = [self.number, utc(self.sealed_at), utc(self.newest_entry_at), self.manifest_digest, self.previous_mac]
        return keyed_mac("seal", *said)

    def expected_pruned_mac(self) -> str:
        return keyed_mac("pruned", self.number, self.mac, utc(self.pruned_at))

    def is_whole(self) -> bool:
        return self.mac == self.expected_mac()


class AuditEntry(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField(db_index=True)
    action = models.CharField(max_length=30, choices=Action)
    actor_id = models.BigIntegerField(null=True, help_text="Who did it.")
    subject_id = models.BigIntegerField(null=True, help_text="Whom it was done to.")
    via = models.CharField(max_length=10, choices=Via, help_text="Through which door.")
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=255, blank=True)
    detail = models.TextField(blank=True, help_text="What else there is to say, as JSON.")
    mac = models.CharField(max_length=64)
    seal = models.ForeignKey(AuditSeal, null=True, on_delete=models.PROTECT, related_name="entries")

    objects: ClassVar[AuditManager] = AuditManager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "audit entries"
        # Each finds the newest of its kind, however rare they are and however long the trail.
        indexes = [models.Index(fields=[name, "at"]) for name in ("actor_id", "subject_id", "action", "via")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action}"

    def expected_mac(self) -> str:
        """Over everything that the entry says, its id included."""
        said = [
            str(self.id),
            utc(self.at),
            str(self.action),
            self.actor_id,
            self.subject_id,
            self.via,
            self.address,
            self.user_agent,
            self.detail,
        ]
        return keyed_mac("entry", *said)

    def is_whole(self) -> bool:
        return self.mac == self.expected_mac()

    def log(self) -> None:
        """For those who watch the log; what they may not see there, such as addresses, is in the entry itself."""
        log.info("audit", action=str(self.action), actor_id=self.actor_id, subject_id=self.subject_id, via=self.via)


_ENTRY = Insert(AuditEntry)
_add_alone = retrying(_ENTRY.add)

# Read back, a value may be anything that whoever edited the table left there: it must make another MAC, not an error.
# MACs are compared with ==, which no one can time from outside, and which takes any value too.


def keyed_mac(kind: str, *said: Any) -> str:
    """HMAC-SHA-256 with the audit key, in hexadecimal digits; `kind` keeps one use from passing for another."""
    return digest(conf.audit_key, json.dumps([kind, *said], default=repr).encode(), "sha256").hex()


def utc(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat() if moment else ""
