"""How the suite hashes passwords, unless a test asks for `real_hashes`."""

from accounts.hashers import Argon2idHasher


class QuickHasher(Argon2idHasher):
    """The real one, at a price that thousands of sign-ins can pay."""

    memory_cost = 8
    time_cost = 1
