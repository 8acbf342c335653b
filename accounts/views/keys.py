"""The public keys, with which other services verify access tokens: /.well-known/jwks.json"""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts import keys

# RFC 7517 section 4, RFC 7518 section 6.3 for RSA, RFC 8037 section 2 for Ed25519.
_TEXTS = {name: {"type": "string"} for name in ("kty", "use", "alg", "kid", "crv", "x", "n", "e")}
_KEY = {"type": "object", "properties": _TEXTS, "required": ["kty", "use", "alg", "kid"]}
KEY_SET = {"type": "object", "properties": {"keys": {"type": "array", "items": _KEY}}, "required": ["keys"]}


class KeysViewSet(ViewSet):
    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(responses={(200, "application/jwk-set+json"): KEY_SET})
    def published(self, request: Request) -> Response:
        """A JWK Set, with its own media type (RFC 7517 sections 5 and 8.5.2)."""
        return Response(
            {"keys": keys.ring().published(timezone.now())},
            content_type="application/jwk-set+json",
            headers={"Cache-Control": f"public, max-age={keys.JWKS_MAX_AGE}"},
        )
