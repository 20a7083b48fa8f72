"""Texts and differences as an editor reads them on the desk's pages."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from articles.admin.difference import Paragraph
from articles.reading import copy_as_html

__all__ = ["copy_as_html", "marked"]


def marked(paragraphs: Sequence[Paragraph]) -> SafeString:
    """A difference with what came and what went marked."""
    return format_html_join(
        "", "<p>{}</p>", ((_pieces(paragraph),) for paragraph in paragraphs)
    ) or SafeString("<p>–</p>")


def _pieces(paragraph: Paragraph) -> SafeString:
    frames = {
        "same": "{}",
        "added": '<ins class="desk-added">{}</ins>',
        "gone": '<del class="desk-gone">{}</del>',
    }
    # Every piece was escaped by format_html.
    return mark_safe(  # noqa: S308
        "".join(format_html(frames[piece.change], piece.text) for piece in paragraph)
    )
