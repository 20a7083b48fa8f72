"""Third-party pages in our words: schedules change at runtime, people stay within their rights."""

import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks


@pytest.fixture
def schedule(db):
    interval, _ = IntervalSchedule.objects.get_or_create(every=15, period="minutes")
    return PeriodicTask.objects.create(
        name="Sync the Gazette",
        task="sources.tasks.sync",
        interval=interval,
        description="Fetches.",
    )


def page_of(task):
    return reverse("admin:django_celery_beat_periodictask_change", args=(task.pk,))


def test_a_new_pace_reaches_beat(schedule, ada, console):
    before = PeriodicTasks.last_change()
    answer = console(ada).post(
        page_of(schedule), {"every": 5, "unit": "minutes", "enabled": "on"}, follow=True
    )
    assert "every 5 minutes" in str(next(iter(answer.context["messages"])))
    schedule.refresh_from_db()
    assert str(schedule.interval) == "every 5 minutes"
    after = PeriodicTasks.last_change()
    assert after is not None
    assert before is None or after > before


def test_too_often_is_refused(schedule, ada, console):
    answer = console(ada).post(page_of(schedule), {"every": 1, "unit": "seconds", "enabled": "on"})
    assert "Not more often than every 10 seconds." in answer.content.decode()
    schedule.refresh_from_db()
    assert schedule.interval.every == 15


def test_a_schedule_is_switched_by_its_button(schedule, ada, console):
    url = reverse("admin:django_celery_beat_periodictask_act", args=(schedule.pk, "turn-off"))
    assert console(ada).get(url).status_code == 405
    console(ada).post(url)
    schedule.refresh_from_db()
    assert schedule.enabled is False


def test_schedules_are_not_for_writers(schedule, will, console):
    assert console(will).get(page_of(schedule)).status_code == 403
    url = reverse("admin:django_celery_beat_periodictask_act", args=(schedule.pk, "turn-off"))
    assert console(will).post(url).status_code == 403


def test_an_administrator_adds_a_person(ada, console):
    console(ada).post(
        reverse("admin:auth_user_add"),
        {
            "username": "nina", "usable_password": "true", "password1": "long enough 42!",
            "password2": "long enough 42!", "email": "", "is_staff": "on",
            "groups": [Group.objects.get(name="Writer").pk],
        },
    )  # fmt: skip
    nina = User.objects.get(username="nina")
    assert nina.has_perm("articles.write")
    assert nina.is_staff


def test_an_administrator_makes_no_superuser_and_touches_none(ada, will, console):
    url = reverse("admin:auth_user_change", args=(will.pk,))
    console(ada).post(url, {"username": "will", "is_superuser": "on", "is_staff": "on"})
    will.refresh_from_db()
    assert not will.is_superuser
    root = User.objects.create_superuser("root", "", "correct horse")
    password = reverse("admin:auth_user_password_change", args=(root.pk,))
    assert console(ada).get(password).status_code == 403
    url = reverse("admin:auth_user_change", args=(root.pk,))
    assert console(ada).post(url, {"username": "owned"}).status_code == 403


def test_people_and_the_desks_groups_are_not_deleted(ada, will, console):
    assert console(ada).get(reverse("admin:auth_user_delete", args=(will.pk,))).status_code == 403
    group = Group.objects.get(name="Writer")
    assert console(ada).get(reverse("admin:auth_group_delete", args=(group.pk,))).status_code == 403
