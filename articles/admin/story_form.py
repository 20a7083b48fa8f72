"""The form in which a story is written, and what it says when somebody else saved first."""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.models import User
from django.contrib.postgres.forms import SimpleArrayField
from django.utils.safestring import SafeString
from django_prose_editor.fields import ProseEditorFormField
from django_prose_editor.widgets import AdminProseEditorWidget

from articles.admin.difference import difference, side
from articles.admin.reading import marked
from articles.clean import plain_text
from articles.errors import DeskError, Incomplete, StaleVersion
from articles.models import Article, Story
from articles.revise import DETAILS, TEXT
from config.admin_base import Textarea, TextInput, UrlInput

if TYPE_CHECKING:
    _StoryModelForm = forms.ModelForm[Story]
else:
    _StoryModelForm = forms.ModelForm

EDITOR: dict[str, Any] = {
    "Bold": True,
    "Italic": True,
    "Underline": True,
    "Strike": True,
    "Superscript": True,
    "Subscript": True,
    "Code": True,
    "CodeBlock": True,
    "BulletList": True,
    "OrderedList": True,
    "ListItem": True,
    "Blockquote": True,
    "HorizontalRule": True,
    "HardBreak": True,
    "Heading": {"levels": [2, 3, 4]},
    "Link": {"enableTarget": False, "protocols": ["http", "https", "mailto"]},
    "Table": True,
    "TableRow": True,
    "TableCell": True,
    "TableHeader": True,
    "Image": True,
    "Figure": True,
    "Caption": True,
    "History": True,
    "HTML": True,
}
"""What the rich text editor offers: all of what `articles.clean` keeps, so nothing gets lost."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Both texts, when somebody saved after this person had opened the story."""

    version: int  # the one that stands now; saving over it names it
    who: str
    parts: tuple[tuple[str, SafeString, SafeString], ...]  # field, theirs, mine
    details: tuple[tuple[str, Any, Any], ...]  # field, theirs, mine

    @classmethod
    def between(cls, stale: StaleVersion, mine: dict[str, Any]) -> "Conflict":
        """Compare what the desk has with what this person typed."""
        theirs = stale.current
        changed = theirs.events.order_by("-at", "-id").select_related("actor").first()
        parts = []
        for name in (name for name in TEXT if name in mine):
            old, new = plain_text(getattr(theirs, name)), plain_text(str(mine[name]))
            if old != new:
                found = difference(old, new)
                parts.append(
                    (_label(name), marked(side(found, "added")), marked(side(found, "gone")))
                )
        return cls(
            version=theirs.version,
            who=changed.who if changed else "somebody",
            parts=tuple(parts),
            details=tuple(
                (_label(name), getattr(theirs, name), mine[name])
                for name in DETAILS
                if name in mine and mine[name] != getattr(theirs, name)
            ),
        )


class StoryForm(_StoryModelForm):
    """A story's text and details.

    Saving goes through `articles.revise`; what that refuses comes back as `refusal` and is shown
    at its field, with everything typed still in the form.
    """

    refusal: DeskError | None = None

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    opened = forms.JSONField(required=False, widget=forms.HiddenInput)  # marks of what was there
    title = forms.CharField(required=False, max_length=500, widget=TextInput)
    summary = forms.CharField(
        required=False,
        widget=Textarea(attrs={"rows": 3}),
        help_text="Two or three sentences, plain text.",
    )
    content = ProseEditorFormField(
        label="Text", required=False, config={"extensions": EDITOR}, widget=AdminProseEditorWidget
    )
    tags = SimpleArrayField(
        forms.CharField(max_length=100),
        required=False,
        widget=TextInput,
        help_text="Separated by commas.",
    )

    url = forms.URLField(
        label="URL", required=False, max_length=2000, assume_scheme="https", widget=UrlInput,
        help_text="Where the source has it.",
    )  # fmt: skip

    class Meta:
        model = Story
        fields = (*TEXT, *DETAILS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = self.instance.version
        self.fields["opened"].initial = {
            name: _mark(getattr(self.instance, name)) for name in (*TEXT, *DETAILS)
        }
        assignee = self.fields.get("assignee")
        if isinstance(assignee, forms.ModelChoiceField):
            for extra in ("can_add_related", "can_change_related", "can_view_related"):
                setattr(assignee.widget, extra, False)  # no window with the user's own page
            assignee.queryset = User.objects.filter(is_active=True, is_staff=True).order_by(
                "username"
            )

    def clean(self) -> dict[str, Any]:
        """What was typed, with the desk's refusal at its place."""
        cleaned = super().clean() or self.cleaned_data
        cleaned["title"] = " ".join((cleaned.get("title") or "").split())
        if isinstance(self.refusal, Incomplete):
            for name, problem in self.refusal.problems.items():
                self.add_error(name if name in self.fields else None, problem)
        elif self.refusal is not None:
            self.add_error(None, str(self.refusal))
        return cleaned

    def text(self) -> dict[str, Any]:
        """What to hand to the desk: the fields that this person changed since opening the page.

        A field left alone is not among them, so saving over somebody else's version never takes
        back what they did elsewhere.
        """
        opened = self.cleaned_data.get("opened")
        if not isinstance(opened, dict):
            opened = {}
        return {
            name: self.cleaned_data[name]
            for name in (*TEXT, *DETAILS)
            if name in self.cleaned_data and _mark(self.cleaned_data[name]) != opened.get(name)
        }


def _mark(value: Any) -> str:
    """A short mark of a field's value, equal for what a form sends back untouched."""
    if isinstance(value, datetime):
        value = value.astimezone(UTC).isoformat(timespec="seconds")
    plain = str(getattr(value, "pk", value) or "").replace("\r\n", "\n").strip()
    return sha256(plain.encode()).hexdigest()[:16]


def _label(name: str) -> str:
    label = str(getattr(Article._meta.get_field(name), "verbose_name", name)).capitalize()
    return "Text" if name == "content" else label
