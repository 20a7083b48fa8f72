"""Every address of the desk, but `/livez` and `/readyz`: see `config.health`."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.routers import SimpleRouter

from articles.api import ArticleViewSet
from config import tokens
from config.api import NoSuchAddress
from publishing import unsubscribing
from publishing.api import DeliveryViewSet, PublishView
from publishing.feeds import pages as feeds
from sources.callback import callback

router = SimpleRouter()
router.trailing_slash = "/?"  # with or without: a redirect would lose a POST's body
router.register("articles", ArticleViewSet, basename="article")
router.register("deliveries", DeliveryViewSet, basename="delivery")

api: list[URLPattern | URLResolver] = [
    path("auth/token", tokens.TokenView.as_view(), name="token"),
    path("auth/refresh", tokens.RefreshView.as_view(), name="token-refresh"),
    path("auth/logout", tokens.LogoutView.as_view(), name="token-logout"),
    path("articles/publish", PublishView.as_view(), name="publish"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("", include(router.urls)),
    re_path("", NoSuchAddress.as_view()),  # whatever is left
]
handler400 = "config.api.bad_request"
handler500 = "config.api.server_error"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("api/", include(api)),
    path("feeds/<slug:slug>.rss", feeds.feed, {"form": "rss"}, name="feed-rss"),
    path("feeds/<slug:slug>.atom", feeds.feed, {"form": "atom"}, name="feed-atom"),
    path("feeds/<slug:slug>.json", feeds.feed, {"form": "json"}, name="feed-json"),
    path("feeds/<slug:slug>/", feeds.front, name="feed-front"),
    path("feeds/<slug:slug>/<uuid:marker>/", feeds.entry, name="feed-entry"),
    path("unsubscribe/<str:token>/", unsubscribing.unsubscribe, name="unsubscribe"),
    path("websub/<str:token>/", callback, name="websub"),
]
