"""What the workers load, under the same granian with the same options as the server itself."""

import os

# The process that started this worker had the server's own settings.
os.environ["DJANGO_SETTINGS_MODULE"] = "bench.empty_view.settings"

from django.core.wsgi import get_wsgi_application  # noqa: E402

application = get_wsgi_application()
