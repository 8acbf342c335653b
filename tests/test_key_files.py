"""SIGNING_KEY_DIR: what may lie in it, how a running server takes up what is new, and how new keys are made."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError

from accounts import keys
from accounts.keys import EDDSA, HS256, RS256, SigningKeyError, files
from accounts.models import AuditEntry
from tests import live
from tests.conftest import PASSWORD
from tests.signing import is_taken, kid_of, put_key, token

pytestmark = pytest.mark.no_database

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAME = "20261123T110000Z.pem"
NO_KEY = "holds no private key in PEM that can be read without a password."
OF_ANOTHER_KIND = "holds a key that is neither Ed25519 nor RSA of 2048 to 4096 bits."
Command = Callable[..., str]


def pem(private: Any, encryption: KeySerializationEncryption | None = None) -> bytes:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


ED25519 = ed25519.Ed25519PrivateKey.generate()
A_KEY = pem(ED25519)


def errors() -> list[tuple[str | None, str]]:
    return [(error.id, error.msg) for error in run_checks() if not error.is_silenced()]


# --- what is a key


def test_keys_are_read_in_the_order_in_which_they_sign(tmp_path: Path) -> None:
    made = [put_key(tmp_path, NOON + hours * HOUR) for hours in (1, -1, 0)]
    assert [key.kid for key in files.read(tmp_path)] == [made[number].kid for number in (1, 2, 0)]


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
@pytest.mark.parametrize(
    ("options", "algorithm"), [(["ed25519"], EDDSA), (["RSA", "-pkeyopt", "rsa_keygen_bits:2048"], RS256)], ids=str
)
def test_a_key_that_openssl_made_is_taken(tmp_path: Path, options: list[str], algorithm: str) -> None:
    subprocess.run(["openssl", "genpkey", "-quiet", "-algorithm", *options, "-out", tmp_path / NAME], check=True)
    [key] = files.read(tmp_path)
    assert (key.algorithm, key.signs_from) == (algorithm, NOON - HOUR)


BAD: dict[str, tuple[str, bytes, str]] = {
    "empty": (NAME, b"", NO_KEY),
    "no PEM": (NAME, b"\x00\xff" * 50, NO_KEY),
    "half a file": (NAME, A_KEY[:60], NO_KEY),
    "encrypted": (NAME, pem(ED25519, BestAvailableEncryption(b"password")), NO_KEY),
    "a public key": (
        NAME,
        ED25519.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        NO_KEY,
    ),
    "Ed448": (NAME, pem(ed448.Ed448PrivateKey.generate()), OF_ANOTHER_KIND),
    "X25519": (NAME, pem(x25519.X25519PrivateKey.generate()), OF_ANOTHER_KIND),
    "P-256": (NAME, pem(ec.generate_private_key(ec.SECP256R1())), OF_ANOTHER_KIND),
    "RSA of 1024 bits": (NAME, pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)), OF_ANOTHER_KIND),
    "a name that is no moment": ("key.pem", A_KEY, "must be named by the moment from which it signs"),
    "a day that there is not": ("20260230T110000Z.pem", A_KEY, "must be named by the moment from which it signs"),
    "too few digits": ("2026123T110000Z.pem", A_KEY, "must be named by the moment from which it signs"),
    "no UTC": ("20261123T110000.pem", A_KEY, "must be named by the moment from which it signs"),
    "a year far off": ("99991231T235959Z.pem", A_KEY, "must be named by the moment from which it signs"),
    "too long": (NAME, A_KEY + b"\n" * 20_000, "is no key: not a file, or too long for one."),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_key_is_an_error_at_the_start_that_names_the_file(key_folder: Path, case: str) -> None:
    name, content, complaint = BAD[case]
    (key_folder / name).write_bytes(content)
    [(ident, message)] = errors()
    assert ident == "accounts.E017"
    assert message.startswith(f"{key_folder / name} {complaint}")


def test_a_folder_in_place_of_a_file_is_an_error(key_folder: Path) -> None:
    (key_folder / NAME).mkdir()
    assert errors() == [("accounts.E017", f"{key_folder / NAME} is no key: not a file, or too long for one.")]


def test_a_pipe_is_an_error_and_not_waited_for(key_folder: Path) -> None:
    os.mkfifo(key_folder / NAME)
    assert errors() == [("accounts.E017", f"{key_folder / NAME} is no key: not a file, or too long for one.")]


def test_a_link_that_leads_nowhere_is_an_error(key_folder: Path) -> None:
    (key_folder / NAME).symlink_to("missing")
    [(ident, message)] = errors()
    assert (ident, NAME in message) == ("accounts.E017", True)


def test_one_key_in_two_files_is_an_error(key_folder: Path) -> None:
    for name in (NAME, "20261124T110000Z.pem"):
        (key_folder / name).write_bytes(A_KEY)
    assert errors() == [("accounts.E017", f"SIGNING_KEY_DIR is {key_folder}, where two files hold the same key.")]


def test_a_folder_without_a_key_is_an_error(key_folder: Path) -> None:
    (key_folder / "README").write_text("not a key")
    assert errors() == [("accounts.E017", f"SIGNING_KEY_DIR is {key_folder}, which holds no key yet.")]


def test_a_folder_that_is_not_there_is_an_error(settings: Any, tmp_path: Path) -> None:
    settings.SIGNING_KEY_DIR = tmp_path / "missing"
    [(ident, message)] = errors()
    assert (ident, "No such file or directory" in message) == ("accounts.E017", True)


def test_what_is_not_called_pem_is_left_alone(key_folder: Path) -> None:
    put_key(key_folder, NOON)
    for name in (".draft-1", f"{NAME}.bak", f"{NAME}~", "README"):
        (key_folder / name).write_text("not a key")
    assert errors() == []


def test_a_key_that_everyone_may_read_is_a_warning(key_folder: Path) -> None:
    put_key(key_folder, NOON)
    (key_folder / NAME).write_bytes(A_KEY)
    (key_folder / NAME).chmod(0o644)
    found = [message.msg for message in run_checks(include_deployment_checks=True) if message.id == "accounts.W006"]
    assert found == [f"{key_folder / NAME} can be read by everyone on this machine."]


def test_links_are_followed_as_a_mounted_secret_has_them(key_folder: Path) -> None:
    """Kubernetes puts the files into a hidden folder, and exchanges the link to that when the secret changes."""
    for version, hour in (("..1", 0), ("..2", 1)):
        (key_folder / version).mkdir()
        put_key(key_folder / version, NOON + hour * HOUR)
    first, second = (files.read(key_folder / version)[0].kid for version in ("..1", "..2"))
    (key_folder / "..data").symlink_to("..1")
    (key_folder / NAME).symlink_to(Path("..data", "20261123T120000Z.pem"))
    assert [key.kid for key in files.read(key_folder)] == [first]
    (key_folder / "..2" / "20261123T130000Z.pem").rename(key_folder / "..2" / "20261123T120000Z.pem")
    (key_folder / "..new").symlink_to("..2")
    (key_folder / "..new").rename(key_folder / "..data")
    assert [key.kid for key in files.read(key_folder)] == [second]


# --- a folder that changes


@pytest.fixture
def clock() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("case", ["half a file", "a name that is no moment", "gone", "empty"])
def test_a_folder_that_breaks_is_logged_and_the_keys_stay(
    key_folder: Path, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    put_key(key_folder, NOON - 2 * HOUR)
    good = token()
    if case in BAD:
        (key_folder / BAD[case][0]).write_bytes(BAD[case][1])
    elif case == "gone":
        key_folder.rename(key_folder.with_name("elsewhere"))
    else:
        next(key_folder.iterdir()).unlink()
    assert is_taken(good)
    assert kid_of(token()) == kid_of(good)
    assert "The signing keys could not be read again; those read before stay." in caplog.text
    assert "PRIVATE KEY" not in caplog.text


@pytest.mark.usefixtures("clock")
def test_a_folder_that_is_mended_is_read_again(key_folder: Path) -> None:
    put_key(key_folder, NOON - 2 * HOUR)
    token()
    (key_folder / NAME).write_bytes(A_KEY[:60])
    token()
    (key_folder / NAME).write_bytes(A_KEY)
    assert kid_of(token()) == files.read(key_folder)[-1].kid


@pytest.mark.usefixtures("clock")
def test_the_folder_is_looked_at_once_a_minute_whatever_comes(
    key_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_key(key_folder, NOON - HOUR)
    good = token()
    monkeypatch.setattr(keys, "RELOAD_AFTER", 60)
    monkeypatch.setattr(files, "read", lambda folder: pytest.fail("The folder was read."))
    assert is_taken(good)
    assert not is_taken(good.replace(good[:60], "A" * 60))


@pytest.mark.usefixtures("clock")
def test_a_file_that_did_not_change_is_not_read_again(key_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_key(key_folder, NOON - HOUR)
    good = token()
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail("The file was read."))
    assert is_taken(good)


def test_many_threads_read_while_the_folder_changes(key_folder: Path) -> None:
    """Each token is taken by all, whichever thread was the one that read the folder."""
    start = datetime.now(UTC) - timedelta(days=1)
    put_key(key_folder, start)
    # Else the threads would each make a ring of their own at first, as no process does that serves.
    token()

    def sign_and_read(number: int) -> bool:
        if number % 20 == 0:
            put_key(key_folder, start + timedelta(seconds=1 + number))
        return is_taken(token())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(sign_and_read, range(400)))
    assert kid_of(token()) == files.read(key_folder)[-1].kid


def test_two_workers_of_a_running_server_take_up_a_new_key(
    start_server: Callable[..., live.Server], tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    put_key(tmp_path, now - HOUR)
    # It is asked until it has a new key, however often that is.
    server = start_server(program=live.WITH_QUICK_RELOAD, SIGNING_KEY_DIR=str(tmp_path), REFRESH_RATE="off")
    with server.client() as client:
        account = {"username": "alice", "email": "alice@example.com", "password": PASSWORD}
        client.post("/api/auth/signup", json=account)
        old = client.post("/api/auth/signin", json=account).json()
    new = put_key(tmp_path, now)

    def signs_with_the_new_key(client: httpx.Client) -> bool:
        assert client.get("/api/test/user", headers={"x-access-token": old["accessToken"]}).status_code == 200
        refreshed = client.post("/api/auth/refreshtoken", json={"refreshToken": old["refreshToken"]}).json()
        return kid_of(refreshed["accessToken"]) == new.kid

    server.wait_for_all_workers(signs_with_the_new_key)


# --- rotate_signing_key


@pytest.fixture
def rotate(db: None, clock: None) -> Command:
    """Runs the command at noon; gives what it printed."""

    def rotate(*arguments: str) -> str:
        printed = StringIO()
        call_command("rotate_signing_key", *arguments, stdout=printed, no_color=True)
        return printed.getvalue()

    return rotate


def test_the_first_key_is_ed25519_and_signs_in_an_hour(rotate: Command, key_folder: Path) -> None:
    secret = keys.assemble([]).signing(NOON)
    printed = rotate()
    [key] = files.read(key_folder)
    assert (key.algorithm, key.signs_from) == (EDDSA, NOON + HOUR)
    assert printed == (
        f"EdDSA key {key.kid} signs from 2026-11-23 13:00:00 UTC.\n"
        f"It is in {key_folder}/20261123T130000Z.pem.\n"
        f"HS256 key {secret.kid}: tokens of SECRET_KEY are refused from 2026-11-24 13:01:10 UTC.\n"
    )


def test_each_older_key_is_told_when_its_file_can_go(rotate: Command, key_folder: Path) -> None:
    first, second = put_key(key_folder, NOON - 48 * HOUR), put_key(key_folder, NOON - HOUR)
    lines = rotate().splitlines()
    assert f"EdDSA key {first.kid}: its file can be deleted from 2026-11-24 11:01:10 UTC." in lines
    assert f"EdDSA key {second.kid}: its file can be deleted from 2026-11-24 13:01:10 UTC." in lines


def test_the_moment_that_is_told_is_the_one_from_which_the_key_is_refused(rotate: Command, key_folder: Path) -> None:
    put_key(key_folder, NOON - HOUR)
    old = token()
    told = re.findall(r"can be deleted from (.*) UTC", rotate())[0]
    moment = datetime.fromisoformat(f"{told}+00:00")
    with time_machine.travel(moment - timedelta(seconds=1), tick=False):
        assert is_taken(old)
    with time_machine.travel(moment, tick=False):
        assert not is_taken(old)


def test_a_new_key_is_of_the_algorithm_of_the_newest(rotate: Command, key_folder: Path) -> None:
    put_key(key_folder, NOON - 2 * HOUR, EDDSA)
    put_key(key_folder, NOON - HOUR, RS256)
    rotate()
    newest = files.read(key_folder)[-1]
    assert newest.algorithm == RS256
    assert newest.public.key_size == 3072  # type: ignore[union-attr]


@pytest.mark.parametrize("algorithm", [EDDSA, RS256])
def test_a_new_key_may_be_of_another_algorithm(rotate: Command, key_folder: Path, algorithm: str) -> None:
    put_key(key_folder, NOON - HOUR, RS256 if algorithm == EDDSA else EDDSA)
    rotate("--algorithm", algorithm)
    assert files.read(key_folder)[-1].algorithm == algorithm


@pytest.mark.parametrize(("after", "signs"), [("0", HS256), ("0", EDDSA), ("360", EDDSA)])
def test_a_key_signs_after_the_seconds_that_are_named(
    rotate: Command, key_folder: Path, after: str, signs: str
) -> None:
    if signs == EDDSA:
        put_key(key_folder, NOON - HOUR)
    rotate("--after", after)
    with time_machine.travel(NOON + timedelta(seconds=int(after)), tick=False):
        assert kid_of(token()) == files.read(key_folder)[-1].kid


@pytest.mark.parametrize("after", ["1", "359", "-1", "31536001"])
def test_a_key_is_published_for_a_while_before_it_signs(rotate: Command, key_folder: Path, after: str) -> None:
    with pytest.raises(CommandError, match=r"^--after must be from 360 to 31536000, or 0\.$"):
        rotate("--after", after)
    assert list(key_folder.iterdir()) == []


def test_only_the_owner_may_read_the_file(rotate: Command, key_folder: Path) -> None:
    rotate()
    [path] = key_folder.iterdir()
    assert oct(path.stat().st_mode & 0o777) == "0o600"


def test_a_rotation_is_recorded_without_the_key(rotate: Command, key_folder: Path) -> None:
    rotate()
    [key] = files.read(key_folder)
    entry = AuditEntry.objects.get(action="signing_key_rotated")
    assert (entry.via, json.loads(entry.detail)) == ("command", {"kid": key.kid, "algorithm": EDDSA})


def test_a_rotation_that_cannot_be_recorded_makes_no_key(
    rotate: Command, key_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError("full")

    monkeypatch.setattr(AuditEntry.objects, "record", refuse)
    with pytest.raises(CommandError, match="The database refused: full"):
        rotate()
    assert list(key_folder.iterdir()) == []


def test_a_key_that_cannot_be_written_is_not_recorded(rotate: Command, key_folder: Path) -> None:
    put_key(key_folder, NOON + HOUR)
    with pytest.raises(CommandError, match=r"The key could not be kept in SIGNING_KEY_DIR: .*File exists"):
        rotate()
    assert not AuditEntry.objects.filter(action="signing_key_rotated").exists()
    assert [path.name for path in key_folder.iterdir()] == ["20261123T130000Z.pem"]


def test_a_broken_file_is_named_before_another_is_added(rotate: Command, key_folder: Path) -> None:
    (key_folder / NAME).write_bytes(A_KEY[:60])
    with pytest.raises(CommandError, match=f"{NAME} holds no private key"):
        rotate()
    assert [path.name for path in key_folder.iterdir()] == [NAME]


@pytest.mark.parametrize(("folder", "message"), [(None, "is not set"), ("missing", "No such file or directory")])
def test_a_folder_is_needed(rotate: Command, settings: Any, tmp_path: Path, folder: str | None, message: str) -> None:
    settings.SIGNING_KEY_DIR = tmp_path / folder if folder else None
    with pytest.raises(CommandError, match=f"^SIGNING_KEY_DIR .*{message}"):
        rotate()


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    def try_to_put(number: int) -> str:
        try:
            return put_key(tmp_path, NOON).kid
        except SigningKeyError:
            return ""

    with ThreadPoolExecutor(8) as pool:
        [winner] = filter(None, pool.map(try_to_put, range(8)))
    assert [key.kid for key in files.read(tmp_path)] == [winner]
    assert [path.name for path in tmp_path.iterdir()] == ["20261123T120000Z.pem"]


def test_of_two_rotations_at_once_each_makes_a_whole_key_or_says_that_it_did_not(
    server: live.Server, tmp_path: Path
) -> None:
    command = [sys.executable, "manage.py", "rotate_signing_key"]
    environment = {**server.environment, "SIGNING_KEY_DIR": str(tmp_path)}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(command, cwd=live.ROOT, env=environment, **pipes) for _ in range(2)]
    said = [(*process.communicate(timeout=60), process.returncode) for process in both]
    made = [re.findall(r"EdDSA key (\S+) signs", output) for output, _, code in said if code == 0]
    assert sorted(key.kid for key in files.read(tmp_path)) == sorted(kid for [kid] in made)
    refusals = [error for _, error, code in said if code]
    assert len(made) + len(refusals) == 2
    assert all("File exists" in error and "Traceback" not in error for error in refusals)


def test_the_first_key_can_be_made_though_the_server_would_not_start_without(
    server: live.Server, tmp_path: Path
) -> None:
    environment = {**server.environment, "SIGNING_KEY_DIR": str(tmp_path)}
    with pytest.raises(subprocess.CalledProcessError) as refused:
        live.manage(environment, "check")
    assert "accounts.E017" in refused.value.stderr
    live.manage(environment, "rotate_signing_key", "--after", "0")
    assert live.manage(environment, "check")
