"""What the views share: the spelling of an id, and the cookies that they set."""

from drf_spectacular.utils import OpenApiParameter

# A UUID of version 7, as accounts/models/ids.py makes them. MariaDB's UUID type refuses some that are of no version.
ID_PATTERN = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
SETS_COOKIES = OpenApiParameter(
    "Set-Cookie",
    str,
    OpenApiParameter.HEADER,
    response=[200],
    description="The tokens, where TOKEN_DELIVERY says cookies; or their end.",
)
