"""The public keys, with which other services verify access tokens: /.well-known/jwks.json"""

from django.utils import timezone
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts import keys


class KeysViewSet(ViewSet):
    authentication_classes = []
    permission_classes = [AllowAny]

    def list(self, request: Request) -> Response:
        """A JWK Set, with its own media type (RFC 7517 sections 5 and 8.5.2)."""
        return Response(
            {"keys": keys.ring().published(timezone.now())},
            content_type="application/jwk-set+json",
            headers={"Cache-Control": f"public, max-age={keys.JWKS_MAX_AGE}"},
        )
