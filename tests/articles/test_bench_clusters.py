"""The measurement of clustering measures real clustering."""

import pytest

from articles.management.commands.bench_clusters import measure
from articles.models import Article, Cluster

pytestmark = pytest.mark.django_db


def test_invented_news_find_the_events_that_they_were_invented_for():
    found = measure(600, 60)
    assert (found.known, found.new) == (600, 60)
    assert not Article.objects.filter(clustered_at=None).exists()
    # The invented press tells most events twice or more; what joins must join its own event.
    assert found.joined > 20
    assert found.right >= 0.95 * found.joined
    assert found.seconds > 0
    assert found.peak > 0
    assert Cluster.objects.filter(size__gt=1, lead__isnull=False).count() > 100
