"""How gunicorn serves it when started as `gunicorn peer.wsgi` in this folder: its defaults, with PROCESSES workers."""

import os

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("PROCESSES", "2"))
# It would lie in the home directory.
control_socket_disable = True
