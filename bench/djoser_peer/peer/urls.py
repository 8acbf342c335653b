"""djoser's own routes, and the four boards."""

from boards import views
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("auth/", include("djoser.urls")),
    path("auth/", include("djoser.urls.jwt")),
    path("test/all", views.AllBoard.as_view()),
    path("test/user", views.UserBoard.as_view()),
    path("test/mod", views.ModeratorBoard.as_view()),
    path("test/admin", views.AdminBoard.as_view()),
]
