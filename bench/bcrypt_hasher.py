"""bcrypt of the reference's cost as this server's own hash, so that both do the same work. For measurements only."""

from django.contrib.auth.hashers import BCryptPasswordHasher

from accounts.turns import turn

COST = 8


class BenchBcryptHasher(BCryptPasswordHasher):
    # A name of its own: `bcrypt` are hashes that were brought over, which are replaced at the first sign-in.
    algorithm = "bench_bcrypt"
    rounds = COST

    @turn()
    def encode(self, password: str, salt: str) -> str:
        return super().encode(password, salt)
