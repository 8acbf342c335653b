"""The four boards, mounted at /api/test/; no path ends in a slash."""

from rest_framework.routers import SimpleRouter

from content.views import BoardViewSet

router = SimpleRouter(trailing_slash=False)
router.register("", BoardViewSet, basename="board")

urlpatterns = router.urls
