"""bcrypt of the reference's cost as this server's own hash, so that both do the same work. For measurements only."""

from django.contrib.auth.hashers import BCryptPasswordHasher

COST = 8


class BenchBcryptHasher(BCryptPasswordHasher):
    # A name of its own: `bcrypt` are hashes that were brought over, which are replaced at the first sign-in.
    algorithm = "bench_bcrypt"
    rounds = COST
