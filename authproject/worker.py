"""What granian's workers load: the WSGI application, a way to stop a worker that is still loading it, and a core."""

import signal

# A worker inherits its parent's handler, which does nothing here, until granian sets the worker's own at the end
# of its start. A SIGTERM in between would be lost, and the server would wait for that worker for ever.
signal.signal(signal.SIGTERM, signal.SIG_DFL)

from django.conf import settings  # noqa: E402

from authproject import affinity  # noqa: E402
from authproject.wsgi import application  # noqa: E402

if settings.PIN_WORKERS:
    affinity.pin()

__all__ = ["application"]
