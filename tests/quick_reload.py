"""What the workers load in tests that wait for a key: the server, which looks for new ones every second."""

from accounts import keys

keys.RELOAD_AFTER = 1

from authproject.worker import application  # noqa: E402

__all__ = ["application"]
