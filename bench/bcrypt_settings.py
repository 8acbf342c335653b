"""The server's settings, with the reference's hash in place of Argon2id. For measurements only."""

from authproject.settings import *  # noqa: F403

PASSWORD_HASHERS = ["bench.bcrypt_hasher.BenchBcryptHasher"]
