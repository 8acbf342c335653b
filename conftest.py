"""What every test may use, those of your own apps too; tests/conftest.py adds what only tests/ needs."""

pytest_plugins = ["accounts.testing"]
