"""`python -m authproject.healthcheck` fails unless the server on this machine is alive: a container's HEALTHCHECK.

Without Django, whose start would cost far more than the answer.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException

PATIENCE = 2  # seconds


def main() -> None:
    port = int(os.environ.get("PORT") or 8080)
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/health/live")
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        sys.exit(f"no answer on port {port}: {error!r}")
    if status != 200:
        sys.exit(f"/health/live answers {status}")


if __name__ == "__main__":
    main()
