"""What a desk starts with: the tick, sample channels, and tables that can go back."""

import pytest
from django.apps.registry import Apps
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from publishing import connecting, samples
from publishing.defaults import TICK, load_tick
from publishing.models import Channel


@pytest.mark.django_db
def test_the_tick_is_scheduled_once_and_its_rhythm_is_the_administrators():
    tick = PeriodicTask.objects.get(task=TICK)
    assert (tick.interval.every, tick.interval.period) == (1, "minutes")
    assert tick.expire_seconds
    tick.interval, _ = IntervalSchedule.objects.get_or_create(every=5, period="minutes")
    tick.name = "Ours"
    tick.save()
    load_tick()
    assert PeriodicTask.objects.get(task=TICK).interval.every == 5


@pytest.mark.django_db
def test_a_second_schedule_of_the_tick_or_of_the_minute_stops_no_migration():
    minute = IntervalSchedule.objects.create(every=1, period="minutes")
    PeriodicTask.objects.create(name="Twice", task=TICK, interval=minute)
    load_tick()
    PeriodicTask.objects.filter(task=TICK).delete()
    load_tick()
    assert PeriodicTask.objects.filter(task=TICK).count() == 1


@pytest.mark.django_db
def test_a_migration_that_has_taken_the_tables_away_loads_nothing():
    PeriodicTask.objects.filter(task=TICK).delete()
    load_tick(apps=Apps())
    assert not PeriodicTask.objects.filter(task=TICK).exists()


def test_the_sample_channels_are_loaded_once_and_connect(world, db):
    for _ in range(2):
        samples.load(world.url)
    channels = list(Channel.objects.all())
    assert {channel.platform for channel in channels} == {
        "dryrun", "feed", "wordpress", "mastodon", "webhook",
    }  # fmt: skip
    for channel in channels:
        assert connecting.test(channel.platform, channel.options, channel.credentials.reveal())


def test_without_the_demo_there_is_a_dry_run_only(db):
    samples.load(None)
    assert [channel.platform for channel in Channel.objects.all()] == ["dryrun"]


@pytest.mark.django_db(transaction=True)
def test_the_migrations_go_back_and_forth():
    def migrate(where):
        call_command("migrate", "publishing", where, verbosity=0)

    def trigger_stands():
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM pg_trigger WHERE tgname = 'terminal_states_are_closed'")
            return cursor.fetchone() is not None

    try:
        migrate("0001")
        assert not trigger_stands()
        migrate("zero")
        assert "publishing_queue" not in connection.introspection.table_names()
    finally:
        call_command("migrate", verbosity=0)
    assert trigger_stands()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("tests.publishing.nowhere.Platform", "can't be loaded"),
        ("publishing.models.Channel", "can't be loaded"),
        ("tests.publishing.bare.Bare", "calls itself “bare”"),
    ],
)
def test_a_platform_that_breaks_the_contract_is_found_at_start(settings, path, words):
    settings.EXTRA_PLATFORMS = {"other": path}
    assert words in " ".join(str(found.msg) for found in run_checks())
