"""How the console's lists show titles and times."""

from datetime import datetime

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from articles.clean import one_line


def headline(title: str, below: str, *, longest: int = 180) -> SafeString:
    """A list's first column: the title, and a line of what it is about."""
    return format_html(
        '<span class="desk-headline"><strong>{}</strong><span>{}</span></span>',
        title or "(no title)",
        one_line(below, longest),
    )


def age(moment: datetime | None) -> SafeString:
    """How long ago, in the fewest signs, with the exact time on hovering."""
    if moment is None:
        return SafeString("–")
    return format_html(
        '<time class="desk-quiet" datetime="{}" title="{}">{}</time>',
        moment.isoformat(),
        timezone.localtime(moment).strftime("%d %b %Y, %H:%M %Z"),
        _short((timezone.now() - moment).total_seconds(), moment),
    )


def badge(words: str, kind: str = "") -> SafeString:
    """A coloured word where `display(label=…)` has no effect: in the rows inside a page.

    `kind` is "info", "success", "warning", "danger", or "" for grey.
    """
    return render_to_string(
        "unfold/helpers/display_label.html", {"label": words, "label_type": kind}
    )


def _short(seconds: float, moment: datetime) -> str:
    if seconds < 60:
        return "just now" if seconds > -60 else timezone.localtime(moment).strftime("%d %b %H:%M")
    if seconds < 3600:
        return f"{int(seconds // 60)} min"
    if seconds < 36 * 3600:
        return f"{int(seconds // 3600)} h"
    if seconds < 14 * 86400:
        return f"{int(seconds // 86400)} days"
    return timezone.localtime(moment).strftime("%d %b %Y")
