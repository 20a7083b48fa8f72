"""The form of a source: its connector's fields, and a try before anything is stored."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from django import forms

from config.admin_base import NumberInput, Switch
from config.admin_declared import given, kept
from config.sealed import TamperedSecret
from sources import preview as previewing
from sources import timetable
from sources.connectors.base import ChecksOptions, Connector, checked
from sources.errors import Denied, Misconfigured, SourceError
from sources.models import Source

if TYPE_CHECKING:
    _SourceModelForm = forms.ModelForm[Source]
else:
    _SourceModelForm = forms.ModelForm


FIELDS = (
    "name", "api_endpoint", "section", "trust", "is_active", "rate_limit_per_minute",
    "follows_rhythm", "full_text", "answers_kept",
)  # fmt: skip


class SourceForm(_SourceModelForm):
    """A source with the fields that its connector declares, and its rhythm."""

    adapter: Connector | None = None
    found: previewing.Preview | None = None
    minutes = forms.IntegerField(
        label="Sync every … minutes",
        min_value=1,
        max_value=7 * 24 * 60,
        required=False,
        widget=NumberInput,
        help_text="The running desk follows a change at once. Empty: as it is under Schedules.",
    )
    unchecked = forms.BooleanField(
        label="Save without checking",
        required=False,
        widget=Switch,
        help_text="For a desk without a way out. Otherwise the source is tried on saving.",
    )

    class Meta:
        model = Source
        fields = ()  # the page asks for `FIELDS`
        labels: ClassVar = {
            "api_endpoint": "Address",
            "is_active": "Active",
            "rate_limit_per_minute": "At most … requests a minute",
            "follows_rhythm": "Asked less often while it is quiet",
            "full_text": "Full text from the page",
            "answers_kept": "Answers archived",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("minutes", _minutes(self.instance, self.adapter))

    @property
    def reaches_anew(self) -> bool:
        """Whether anything about reaching the source has been changed."""
        return self.instance.pk is None or any(
            name.startswith(("option_", "secret_")) or name == "api_endpoint"
            for name in self.changed_data
        )

    def clean(self) -> dict[str, Any]:
        """Try the source when anything about reaching it has changed; nothing is stored."""
        cleaned = super().clean() or {}
        if self.adapter is None or self.errors:
            return cleaned
        options, typed = given(cleaned, "option_"), given(cleaned, "secret_")
        stored = _stored_secrets(self.instance)
        untyped = [name for name in stored if not typed.get(name)]
        if untyped and self._leads_elsewhere(self.adapter, cleaned, options):
            self.add_error("api_endpoint", _ANOTHER_HOST)
            return cleaned
        self.trial = Source(
            pk=self.instance.pk,
            connector=self.adapter.key,
            api_endpoint=cleaned["api_endpoint"],
            options=options,
            auth_type=self.instance.auth_type,
            credentials=self.instance.credentials,  # unreadable ones stay until they are replaced
        )
        if any(typed.values()):
            self.trial.credentials = kept(stored, typed)
            self.trial.auth_type = Source.AuthTypes.of(kept(stored, typed))
        self.trial._state.adding = self.instance.pk is None
        if self.reaches_anew:
            try:
                self._try(self.adapter, unchecked=cleaned.get("unchecked", False))
            except SourceError as problem:
                self.add_error(self._field_of(problem), str(problem))
        return cleaned

    def _try(self, adapter: Connector, *, unchecked: bool) -> None:
        """Read the options, and fetch unless that is not wanted; raises `SourceError`."""
        if isinstance(adapter, ChecksOptions):
            adapter.check(checked(self.trial.options, adapter.options))
        if not unchecked:
            self.found = previewing.preview(self.trial)

    def _leads_elsewhere(
        self, adapter: Connector, cleaned: Mapping[str, Any], options: Mapping[str, Any]
    ) -> bool:
        """Whether any address has another host than the stored one."""
        pairs = [(self.initial.get("api_endpoint", ""), cleaned["api_endpoint"])]
        pairs += [
            (self.instance.options.get(each.name, each.default), options[each.name])
            for each in adapter.options
            if each.kind == "url"
        ]
        return any(urlsplit(old).netloc != urlsplit(new).netloc for old, new in pairs)

    def _field_of(self, problem: SourceError) -> str | None:
        """Where the administrator would look for what is wrong."""
        if isinstance(problem, Misconfigured):
            field = f"option_{problem.option}"
            return field if field in self.fields else None
        fields = [name for name in self.fields if name.startswith("secret_")]
        secrets = [name for name in fields if self.cleaned_data.get(name)] or fields
        return secrets[-1] if isinstance(problem, Denied) and secrets else "api_endpoint"

    def clean_full_text(self) -> str:
        """As it is, when the form doesn't say."""
        return self.cleaned_data["full_text"] or self.instance.full_text

    def clean_answers_kept(self) -> int:
        """As it is, when the form doesn't say."""
        given = self.cleaned_data["answers_kept"]
        return self.instance.answers_kept if given is None else given

    def columns(self) -> list[str]:
        """What a change of this form stores; the rest belongs to syncs."""
        names = [*FIELDS, "connector", "options", "credentials", "auth_type"]
        return [*names, *_OF_THE_LAST_ANSWER] if self.reaches_anew else names


_ANOTHER_HOST = (
    "This leads to another host. Enter the credentials again: the desk does not show them to a "
    "host that they were not entered for."
)
_OF_THE_LAST_ANSWER = ("etag", "last_modified", "next_sync_at", "next_sync_reason")


def _minutes(source: Source, adapter: Connector | None) -> int | None:
    """What the form shows: whole minutes, or nothing for any other kind of schedule."""
    if source.schedule is None:
        return adapter.minutes if adapter else None
    if source.schedule.interval is None:
        return None
    minutes = timetable.interval(source).total_seconds() / 60
    return int(minutes) if minutes.is_integer() else None


def _stored_secrets(source: Source) -> dict[str, Any]:
    try:
        return source.credentials.reveal()
    except TamperedSecret:  # they have to be entered anew, and the form says so
        return {}
