"""What is mounted where."""

from django.contrib import admin
from django.urls import include, path

from accounts.views.keys import KeysViewSet
from authproject.health import HealthViewSet
from authproject.metrics import MetricsViewSet
from authproject.views import WelcomeViewSet

urlpatterns = [
    # First what is asked for most: routes are tried in turn.
    path("api/test/", include("content.urls")),
    path("api/", include("accounts.urls")),
    path("health/live", HealthViewSet.as_view({"get": "live"})),
    path("health/ready", HealthViewSet.as_view({"get": "ready"})),
    path("metrics", MetricsViewSet.as_view({"get": "numbers"})),
    path("", WelcomeViewSet.as_view({"get": "welcome"})),
    path("docs", WelcomeViewSet.as_view({"get": "documentation"})),
    path("docs/contract.md", WelcomeViewSet.as_view({"get": "contract"})),
    path("openapi.json", WelcomeViewSet.as_view({"get": "openapi"})),
    path(".well-known/jwks.json", KeysViewSet.as_view({"get": "published"})),
    path("admin", WelcomeViewSet.as_view({"get": "admin"})),
    path("admin/", admin.site.urls),
]

handler400 = "authproject.errors.bad_request"
handler403 = "authproject.errors.permission_denied"
handler404 = "authproject.errors.not_found"
handler500 = "authproject.errors.server_error"
