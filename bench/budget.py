"""What a request costs in numbers that do not depend on the machine: statements, and calls of Python functions.

Counted are the functions of this project and of its libraries; those of Python itself differ from version to version.
`bench/budgets.json` says how many there may be, and tests/test_budget.py holds the code to it.
"""

import cProfile
import gc
import json
import pstats
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

ROOT = Path(__file__).parent.parent
BUDGETS = ROOT / "bench" / "budgets.json"
Budget = dict[str, int]


def budgets() -> dict[str, dict[str, Budget]]:
    """By kind of database, and by request."""
    return json.loads(BUDGETS.read_text()) if BUDGETS.exists() else {}


def keep(vendor: str, name: str, budget: Budget) -> None:
    """From now on that is what the request may cost."""
    known = budgets()
    known.setdefault(vendor, {})[name] = budget
    BUDGETS.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


def cost(request: Callable[[], Any]) -> Budget:
    """Of one request, after some that fill what is kept between requests."""
    for _ in range(3):
        request()
    with CaptureQueriesContext(connection) as captured:
        request()
    statements = [query["sql"] for query in captured.captured_queries if "SAVEPOINT" not in query["sql"]]
    return {"statements": len(statements), "calls": _calls(request)}


def _calls(request: Callable[[], Any]) -> int:
    profile = cProfile.Profile(builtins=False)
    # Else the finalizers of what others left behind would be counted, whenever they happen to run.
    gc.collect()
    gc.disable()
    try:
        profile.runcall(request)
    finally:
        gc.enable()
    counted: dict[tuple[str, int, str], Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    return sum(entry[1] for function, entry in counted.items() if _is_ours_or_a_librarys(*function))


def _is_ours_or_a_librarys(file: str, line: int, name: str) -> bool:
    """Comprehensions are functions in some versions of Python only, and of generator expressions each step counts: as
    many as a token has letters."""
    is_known = "/site-packages/" in file or file.startswith(str(ROOT))
    return is_known and "/_pytest/" not in file and not name.endswith(("comp>", "<genexpr>")) and "/bench/" not in file
