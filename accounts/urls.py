"""What is mounted at /api/; no path ends in a slash."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from accounts.views.management import AuditViewSet, RoleViewSet, UserViewSet
from accounts.views.own import OwnAccountViewSet
from accounts.views.signing import AuthViewSet

auth = SimpleRouter(trailing_slash=False)
auth.register("", AuthViewSet, basename="auth")
auth.register("", OwnAccountViewSet, basename="own")

router = SimpleRouter(trailing_slash=False)
router.register("users", UserViewSet, basename="user")
router.register("roles", RoleViewSet, basename="role")
router.register("audit", AuditViewSet, basename="audit")

urlpatterns = [path("auth/", include(auth.urls)), *router.urls]
