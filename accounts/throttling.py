"""What is limited, and by whom it is counted: guesses, sign-ups, refreshes, checks of the current password.

A guess is counted before the password is looked at, and taken back when it proves right: so guesses that come all
at once get no more checks than those that come one by one.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import digest
from ipaddress import ip_address, ip_network
from threading import Lock

from django.utils import timezone

from accounts import counters, rates
from accounts.conf import conf
from accounts.counters import Change, Kept, Seen, Tallies
from accounts.errors import TooManyRequests
from accounts.names import name_key
from accounts.rates import Rate, Tally
from accounts.turns import turn

log = logging.getLogger(__name__)

# How long an address where an account has signed in counts as one of its owner's.
FAMILIAR_FOR = timedelta(days=30)

# Of one account and address, each process checks one password at a time. Else honest sign-ins of one user that come
# all at once would be too many, because each counts as a wrong one until its password was looked at.
_ONE_AT_A_TIME = [Lock() for _ in range(256)]


class _Unfamiliar(Exception):
    pass


@dataclass(frozen=True)
class Limit:
    act: str
    rate: Rate


# By the key under which it is counted.
Limits = dict[str, Limit]


@dataclass(frozen=True)
class Guess:
    """A password check that has been counted against these; `counted` is what that made of the tallies. `checked` ends
    its turn, so that another password is worked on while the database is told what came of this one."""

    pair: Limits
    wide: Limits
    counted: Tallies
    checked: Callable[[], None]

    @property
    def is_one_row(self) -> bool:
        """Whether `was_right` is one write to the database, and may be a part of somebody's transaction."""
        return not self.wide and isinstance(counters.store(), counters.DatabaseStore)

    def was_right(self) -> None:
        """Forgets the wrong ones of this account at this address (NIST SP 800-63B-4 section 3.2.2) and remembers
        that they go together; takes back only this one from the wider counts, which could else be cleared by
        whoever has an account."""
        now = timezone.now()
        right = Tally(0, now, now, familiar_until=now + FAMILIAR_FOR)
        if not self.wide:
            for key, kept in _kept(dict.fromkeys(self.pair, right), self.pair).items():
                counters.store().put(key, kept)
            return

        def change(tallies: Tallies) -> Mapping[str, Kept]:
            fewer = {
                key: rates.one_less(tallies[key], self.counted[key], limit.rate)
                for key, limit in self.wide.items()
                if key in tallies
            }
            return _kept({**dict.fromkeys(self.pair, right), **fewer}, {**self.pair, **self.wide})

        _swap([*self.pair, *self.wide], change)


@dataclass(frozen=True)
class Refresh:
    """What a refresh makes of its session's tally."""

    before: Tally | None
    tally: Tally

    def was_kept(self, *, address: str | None) -> None:
        if _begins_to_wait(self.before, self.tally):
            _warn("refresh", _source(address))


@contextmanager
def guess(*, username: str, address: str | None) -> Iterator[Guess]:
    """Around a password check for the account of that name, whether there is one or not: waits for its turn, and
    counts it. Raises TooManyRequests, TooBusy.

    The wider counts have no say where that account has signed in before: so whoever guesses from elsewhere, or from
    the same office for others' accounts, cannot keep the owner out (ASVS 6.1.1).
    """
    account, source = name_key(username), _source(address)
    pair, wide = _guess_limits(account, source)
    # Who has to wait anyway must not take up the line of those who need not.
    familiar = _refuse_waiting(pair, wide)
    with ExitStack() as its_turn:
        its_turn.enter_context(turn())
        with _ONE_AT_A_TIME[hash((account, source)) % len(_ONE_AT_A_TIME)]:
            yield Guess(*_counted_guess(pair, wide, source, familiar), checked=its_turn.close)


def _refuse_waiting(pair: Limits, wide: Limits) -> Seen | None:
    """Raises TooManyRequests if a guess had to wait now. Counts nothing. Gives what it saw, where the account has
    signed in from there before, to be counted from; another one may become familiar before it is counted."""
    if not pair and not wide:
        return None
    now, seen = timezone.now(), counters.store().look([*pair, *wide])
    tallies = seen.tallies
    is_familiar = any(tallies[key].is_familiar(now) for key in pair if key in tallies)
    longest = max(rates.wait(tallies.get(key), now) for key in (pair if is_familiar else [*pair, *wide]))
    if longest > timedelta(0):
        raise TooManyRequests(longest)
    return seen if is_familiar else None


def _counted_guess(pair: Limits, wide: Limits, source: str, seen: Seen | None) -> tuple[Limits, Limits, Tallies]:
    try:
        return pair, {}, _count(pair, source, only_familiar=True, seen=seen)
    except _Unfamiliar:
        return pair, wide, _count({**pair, **wide}, source)


def _guess_limits(account: str, source: str) -> tuple[Limits, Limits]:
    """Of the account at that address, and of each of the two for itself."""
    wide = {
        **_limited("guess.address", conf.guess_rate_address, source),
        **_limited("guess.account", conf.guess_rate_account, account),
    }
    return _limited("guess", conf.guess_rate, account, source), wide


def sign_up(*, address: str | None) -> None:
    """Raises TooManyRequests."""
    source = _source(address)
    _count(_limited("sign_up", conf.sign_up_rate, source), source)


def refresh(*, level: float, at: datetime | None, now: datetime) -> Refresh | None:
    """Of one session, which keeps the two numbers of its tally itself; None where there is no limit. Counts nothing
    yet. Raises TooManyRequests."""
    rate = conf.refresh_rate
    if rate is None:
        return None
    before = rates.resumed(level, at, rate)
    longest = rates.wait(before, now)
    if longest > timedelta(0):
        raise TooManyRequests(longest)
    return Refresh(before, rates.one_more(before, rate, now))


def password_check(*, user_id: int, address: str | None) -> None:
    """Of the current password, by who is signed in: whoever stole a token, and uses it elsewhere, does not use up
    the owner's tries at once, and has no more of them by using it everywhere. Raises TooManyRequests."""
    account, source = str(user_id), _source(address)
    pair = _limited("password_check", conf.password_check_rate, account, source)
    wide = _limited("password_check.account", conf.guess_rate_account, account)
    _count({**pair, **wide}, source)


def _count(limits: Limits, source: str, *, only_familiar: bool = False, seen: Seen | None = None) -> Tallies:
    """One more try for all of these or, if one of them says wait, for none. Raises TooManyRequests; _Unfamiliar, and
    counts nothing, if only familiar ones are to be counted and these are not."""
    before: Tallies = {}
    counted: Tallies = {}

    def change(tallies: Tallies) -> Mapping[str, Kept]:
        nonlocal before, counted
        now, before = timezone.now(), tallies
        if only_familiar and not any(tally.is_familiar(now) for tally in tallies.values()):
            raise _Unfamiliar()
        longest = max(rates.wait(tallies.get(key), now) for key in limits)
        if longest > timedelta(0):
            raise TooManyRequests(longest)
        counted = {key: rates.one_more(tallies.get(key), limit.rate, now) for key, limit in limits.items()}
        return _kept(counted, limits)

    if only_familiar and not limits:
        raise _Unfamiliar()
    _swap(list(limits), change, seen)
    for key, limit in limits.items():
        if _begins_to_wait(before.get(key), counted[key]):
            _warn(limit.act, source)
    return counted


def _begins_to_wait(before: Tally | None, counted: Tally) -> bool:
    """Where it is logged, and not at each that follows: else whoever guesses could fill the log."""
    return counted.slows and not (before and before.slows)


def _warn(act: str, source: str) -> None:
    log.warning("Too many tries, which wait from now on: %s, from %s", act, source or "no address")


def _swap(keys: list[str], change: Change, seen: Seen | None = None) -> None:
    if keys:
        counters.store().swap(keys, change, seen)


def _kept(tallies: Tallies, limits: Limits) -> dict[str, Kept]:
    return {key: Kept(tally, rates.forgotten_at(tally, limits[key].rate)) for key, tally in tallies.items()}


def _limited(act: str, rate: Rate | None, *who: str) -> Limits:
    """The key under which it is counted, and how often it may be; nothing where the setting is off.

    Keyed, because the name that somebody types may be their password.
    """
    if rate is None:
        return {}
    said = "\0".join(("accounts.throttling", act, *who))
    return {digest(conf.secret_key.encode(), said.encode(), "sha256").hex(): Limit(act, rate)}


def _source(address: str | None) -> str:
    """Whom an address stands for: an IPv6 customer has at least a /64 of them."""
    if address and ip_address(address).version == 6:
        return str(ip_network(f"{address}/64", strict=False))
    return address or ""
