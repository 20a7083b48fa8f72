"""Schedules are rows that beat follows while it runs."""

import json

import pytest
from django_celery_beat.models import CrontabSchedule, PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

from config.celery import app
from sources import timetable
from sources.models import Source


def every(scheduler: DatabaseScheduler, name: str) -> float:
    """The seconds between two runs, as beat sees them now."""
    seconds: float = scheduler.schedule[name].schedule.run_every.total_seconds()
    return seconds


@pytest.mark.django_db(transaction=True)
def test_a_running_beat_follows_a_change_from_15_to_5_minutes(source):
    gazette = source("https://gazette.example/feed")
    timetable.keep(gazette, 15)
    scheduler = DatabaseScheduler(app=app)
    name = gazette.schedule.name
    assert every(scheduler, name) == 15 * 60
    timetable.keep(Source.objects.get(pk=gazette.pk), 5)
    assert every(scheduler, name) == 5 * 60


@pytest.mark.django_db(transaction=True)
def test_a_running_beat_drops_a_source_that_is_paused_or_deleted(source):
    gazette, courier = source("https://gazette.example/"), source("https://courier.example/")
    names = (gazette.schedule.name, courier.schedule.name)
    scheduler = DatabaseScheduler(app=app)
    assert set(names) <= set(scheduler.schedule)
    gazette.paused_reason = "They asked us to."
    timetable.keep(gazette)
    timetable.drop(courier)
    assert not set(names) & set(scheduler.schedule)


def test_a_schedule_names_its_source_and_its_queue(source):
    gazette = source("https://gazette.example/feed", name="Gazette")
    task = gazette.schedule
    assert (task.name, task.task, task.queue) == ("Sync Gazette", "sources.sync", "fetch")
    assert json.loads(task.kwargs) == {"source_id": gazette.pk}


def test_the_rhythm_is_the_connectors_until_somebody_changes_it(source):
    news = source("https://hn.algolia.com/api/v1", "hackernews")
    assert timetable.interval(news).total_seconds() == 15 * 60
    timetable.keep(news, 7)
    timetable.keep(Source.objects.get(pk=news.pk))
    assert timetable.interval(Source.objects.get(pk=news.pk)).total_seconds() == 7 * 60


def test_a_crontab_that_an_administrator_chose_stays(source):
    gazette = source("https://gazette.example/feed")
    task = PeriodicTask.objects.get(pk=gazette.schedule_id)
    task.interval, task.crontab = None, CrontabSchedule.objects.create(minute="0", hour="6")
    task.save()
    gazette = Source.objects.get(pk=gazette.pk)
    timetable.keep(gazette)
    task.refresh_from_db()
    assert task.crontab is not None
    assert timetable.interval(gazette) == timetable.DEFAULT


def test_a_renamed_source_renames_its_schedule_and_never_collides(source):
    first, second = source("https://a.example/", name="A"), source("https://b.example/", name="B")
    PeriodicTask.objects.filter(pk=first.schedule_id).update(name="Sync C")
    second.name = "C"
    second.save()
    assert timetable.keep(second).name == f"Sync C ({second.pk})"


def test_a_lost_schedule_is_made_anew(source):
    gazette = source("https://gazette.example/feed")
    PeriodicTask.objects.all().delete()
    gazette = Source.objects.get(pk=gazette.pk)
    assert timetable.interval(gazette) == timetable.DEFAULT
    timetable.keep(gazette)
    assert Source.objects.get(pk=gazette.pk).schedule is not None
