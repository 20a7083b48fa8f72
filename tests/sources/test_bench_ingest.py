"""The bench itself: it syncs what it says, and it would notice what is missing or there twice."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from articles.models import Article
from config.benching import redis_url
from sources.bench.ingest import Bench, Profile, Wish, bench
from sources.bench.papers import HOSTILE, Manner, World, document, names
from sources.bench.peer import sync_plainly
from sources.feedparsing import parse
from sources.models import Source

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def running():
    with bench(1, 20, settings.REDIS_URL) as running:
        yield running


def wish(profile: Profile, feeds: int = 20) -> Wish:
    return Wish(profile, feeds, 5, 0.0, 1)


@pytest.mark.slow
def test_a_round_brings_what_the_profile_says(running: Bench, monkeypatch):
    for profile, new in ((Profile.COLD, 100), (Profile.CHANGED, 20), (Profile.ALL_304, 0)):
        found = running.measure(wish(profile))
        assert (found.runs, found.new) == (20, new), profile
        assert found.is_right
        assert found.seconds > 0
        assert found.cpu > 0
        assert found.rss > 10_000_000
        assert found.phases["filing" if new else "HTTP and the rest"] > 0
    monkeypatch.setattr("sources.bench.ingest.names", lambda *_given: ["never-sent"])
    found = running.measure(wish(Profile.COLD))
    assert found.losses == 20
    assert not found.is_right


@pytest.mark.slow
def test_the_plain_way_stores_the_same_pieces(running: Bench):
    sources = running.set_up(World(3, 5))
    assert sync_plainly(sources).runs == 3
    plain = set(Article.objects.values_list("source__name", "external_id"))
    running.measure(wish(Profile.COLD, feeds=3))
    assert set(Article.objects.values_list("source__name", "external_id")) == plain
    assert len(plain) == 15


def test_the_world_is_as_hostile_as_it_says():
    manners = [World(1000, 5, hostile=True).manner_of(feed) for feed in range(1000)]
    for manner, share in HOSTILE:
        assert manners.count(manner) == 10 * share
    assert {World(1000, 5).manner_of(feed) for feed in range(1000)} == {Manner.GOOD}


def test_a_new_version_begins_with_two_new_entries():
    feed = parse(document(7, 1, 5))
    assert [each.external_id for each in feed.entries] == names(7, 1, 5)
    assert len(set(names(7, 1, 5)) - set(names(7, 0, 5))) == 2


@pytest.mark.parametrize(
    ("url", "other"),
    [
        ("redis://:pw@127.0.0.1:6379/0", "redis://:pw@127.0.0.1:6379/15"),
        ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379/15"),
        ("unix:///run/redis.sock?db=2", "unix:///run/redis.sock?db=15"),
    ],
)
def test_another_database_of_the_same_redis(settings, url, other):
    settings.REDIS_URL = url
    assert redis_url(15) == other


def test_too_much_is_refused_before_anything_is_made():
    run = subprocess.run(
        [sys.executable, "manage.py", "bench_ingest", "--feeds", "0"],
        cwd=Path(__file__).resolve().parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 1
    assert "--feeds goes from 1 to 20000" in run.stderr
    assert not Source.objects.exists()
