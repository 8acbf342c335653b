"""What the views about people share."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.viewsets import ViewSetMixin

SETS_COOKIES = OpenApiParameter(
    "Set-Cookie",
    str,
    OpenApiParameter.HEADER,
    response=[200],
    description="The tokens, where TOKEN_DELIVERY says cookies; or their end.",
)


class PrivateAnswers(ViewSetMixin):
    """No cache may keep what is told here of people."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        response["Cache-Control"] = "no-store"
        return response
