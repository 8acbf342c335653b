"""What is mounted at /api/; no path ends in a slash."""

from rest_framework.routers import SimpleRouter

from accounts.views.management import AuditViewSet, RoleViewSet, UserViewSet
from accounts.views.own import OwnAccountViewSet
from accounts.views.signing import AuthViewSet

router = SimpleRouter(trailing_slash=False)
router.register("auth", AuthViewSet, basename="auth")
router.register("auth", OwnAccountViewSet, basename="own")
router.register("users", UserViewSet, basename="user")
router.register("roles", RoleViewSet, basename="role")
router.register("audit", AuditViewSet, basename="audit")

urlpatterns = router.urls
