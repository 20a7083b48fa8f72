"""Schedules: what the desk does by itself, how often, and whether it does."""

from collections.abc import Mapping
from typing import Any, ClassVar

import django_celery_beat.admin  # noqa: F401 (registers what is taken away below)
from celery import current_app
from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from kombu.exceptions import OperationalError

from articles.errors import DeskError
from config.admin_base import Act, DeskAdmin, NumberInput, Select, age, display

# Names only: migrations look at the models' own Meta, which stays as it was.
apps.get_app_config("django_celery_beat").verbose_name = "Sources and channels"
PeriodicTask._meta.verbose_name = "schedule"
PeriodicTask._meta.verbose_name_plural = "schedules"
for model in (PeriodicTask, IntervalSchedule, CrontabSchedule, ClockedSchedule, SolarSchedule):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class ScheduleForm(forms.ModelForm):  # type: ignore[type-arg]  # celery-beat has no types
    """How often, in plain numbers instead of a row of another table."""

    every = forms.IntegerField(
        min_value=1, max_value=1000, widget=NumberInput, help_text="Beat follows without a restart."
    )
    unit = forms.ChoiceField(
        choices=[
            (IntervalSchedule.SECONDS, "seconds"),
            (IntervalSchedule.MINUTES, "minutes"),
            (IntervalSchedule.HOURS, "hours"),
            (IntervalSchedule.DAYS, "days"),
        ],
        widget=Select,
    )

    class Meta:
        model = PeriodicTask
        fields: ClassVar = ["name", "description", "enabled"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.interval and "every" in self.fields:
            self.fields["every"].initial = self.instance.interval.every
            self.fields["unit"].initial = self.instance.interval.period

    def clean(self) -> dict[str, Any]:
        """Not more often than a source or a platform can bear."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        too_often = (
            cleaned.get("unit") == IntervalSchedule.SECONDS and cleaned.get("every", 99) < 10
        )
        if too_often:
            self.add_error("every", "Not more often than every 10 seconds.")
        return cleaned


def what_it_does(task: PeriodicTask) -> str:
    """The task in words: the schedule's own description, else the task's docstring."""
    if task.description:
        return str(task.description).splitlines()[0]
    known = current_app.tasks.get(task.task)
    words = (known.__doc__ or "").strip().splitlines() if known is not None else []
    return words[0] if words else str(task.task)


def _toggle(_request: HttpRequest, task: Any, _data: Mapping[str, Any]) -> str:
    task.enabled = not task.enabled
    task.save(update_fields=["enabled"])  # celery-beat's signal tells beat
    return f"“{task.name}” is {'on' if task.enabled else 'off'}."


def _run_now(_request: HttpRequest, task: Any, _data: Mapping[str, Any]) -> str:
    import json

    try:
        current_app.send_task(
            task.task,
            args=json.loads(task.args or "[]"),
            kwargs=json.loads(task.kwargs or "{}"),
            queue=task.queue or None,
        )
    except OperationalError as problem:
        raise DeskError("The message broker can't be reached; try again in a moment.") from problem
    return f"“{task.name}” was asked to run now."


def _may(request: HttpRequest, _task: Any) -> bool:
    return request.user.has_perm("django_celery_beat.change_periodictask")


@admin.register(PeriodicTask)
class ScheduleAdmin(DeskAdmin):
    """What runs by itself. The desk makes the schedules; people set their pace."""

    form = ScheduleForm
    list_display = ("name", "does", "pace", "last_run", "on", "row_acts")
    list_filter = ("enabled",)
    search_fields = ("name", "task")
    sortable_by = ("name",)
    ordering = ("name",)
    list_select_related = ("interval", "crontab", "solar", "clocked")
    list_hint = "What the desk does by itself. Open one to change its pace; no restart is needed."
    empty_hint = "Schedules appear when the database is set up and with every new source."
    acts = (
        Act("run-now", "Run now", "play_arrow", _run_now, _may, in_rows=True),
        Act(
            "turn-off", "Turn off", "pause", _toggle, lambda r, t: _may(r, t) and t.enabled,
            in_rows=True,
        ),
        Act(
            "turn-on", "Turn on", "toggle_on", _toggle, lambda r, t: _may(r, t) and not t.enabled,
            in_rows=True, weight="primary",
        ),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without celery-beat's own housekeeping."""
        return super().get_queryset(request).exclude(task="celery.backend_cleanup")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A schedule that doesn't go by an interval shows its pace only."""
        base = ("name", "does", "last_run", "total_run_count")
        return base if obj is None or obj.interval else (*base, "pace")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Pace and switch first."""
        pace: tuple[Any, ...] = (("every", "unit"),)
        if obj is None or not obj.interval or not self.has_change_permission(request, obj):
            pace = ("pace",)
        return [
            (None, {"fields": ("name", "does", *pace, "enabled")}),
            ("So far", {"fields": (("last_run", "total_run_count"),)}),
        ]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Swap the interval; celery-beat's signal tells beat."""
        if "every" in form.cleaned_data:
            obj.interval, _ = IntervalSchedule.objects.get_or_create(
                every=form.cleaned_data["every"], period=form.cleaned_data["unit"]
            )
        super().save_model(request, obj, form, change)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Say what happens now."""
        messages.success(request, f"“{obj.name}” runs {obj.interval or self.pace(obj)} now.")
        return HttpResponseRedirect("../../")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """The desk makes them: one for each source, and its own."""
        return False

    @display(description="What it does")
    def does(self, task: Any) -> str:
        """In words."""
        return what_it_does(task)

    @display(description="How often")
    def pace(self, task: Any) -> str:
        """The interval, or whatever else it goes by."""
        if task.crontab:
            return str(task.crontab.human_readable)
        return str(task.interval or task.solar or task.clocked or "–")

    @display(description="Last run")
    def last_run(self, task: Any) -> SafeString:
        """When beat last rang."""
        return age(task.last_run_at)

    @display(description="State", label={"on": "success", "off": "warning"})
    def on(self, task: Any) -> tuple[str, str]:
        """Whether it runs."""
        return ("on", "On") if task.enabled else ("off", "Off")
