"""How answers are written: JSON."""

from typing import Any

from rest_framework import renderers
from rest_framework.utils.encoders import JSONEncoder

# DRF would make one for each answer.
_encode = JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class JSONRenderer(renderers.JSONRenderer):
    """DRF's, in the one form that there is here: compact, in UTF-8."""

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        if data is None:
            return b""
        # The two that end a line in JavaScript and do not in JSON.
        return _encode(data).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode()
