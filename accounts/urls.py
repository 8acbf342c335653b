"""Sign-up, sign-in, refresh and sign-out, mounted at /api/auth/; no path ends in a slash."""

from rest_framework.routers import SimpleRouter

from accounts.views import AuthViewSet

router = SimpleRouter(trailing_slash=False)
router.register("", AuthViewSet, basename="auth")

urlpatterns = router.urls
