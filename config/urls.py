"""Every address of the desk."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from publishing.api import DeliveryViewSet, PublishView
from rest_framework.routers import SimpleRouter

from articles.api import ArticleViewSet
from config import health, tokens
from config.api import NoSuchAddress

router = SimpleRouter()
router.register("articles", ArticleViewSet, basename="article")
router.register("deliveries", DeliveryViewSet, basename="delivery")

api = [
    path("auth/token", tokens.TokenView.as_view(), name="token"),
    path("auth/refresh", tokens.RefreshView.as_view(), name="token-refresh"),
    path("auth/logout", tokens.LogoutView.as_view(), name="token-logout"),
    path("articles/publish", PublishView.as_view(), name="publish"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("", include(router.urls)),
    re_path(r"^.*$", NoSuchAddress.as_view()),
]
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("admin/", admin.site.urls),
    path("api/", include(api)),
]
