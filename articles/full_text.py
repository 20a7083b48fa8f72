"""The whole text of a wire item, where its source sent only an opening."""

import re

from django.db import transaction
from django.utils import timezone

from articles.clean import clean_html, plain_text
from articles.lifecycle import Kind
from articles.models import Article, Revision


def fill_in(item_id: int, *, raw_hash: str, content: str, page: str) -> bool:
    """Put `content` (HTML from outside) from the address `page` in place of the source's own text.

    False, and nothing changes, if the source has rewritten its piece since it read `raw_hash`, or
    if this says no more than what is there. The source's text stays as a revision; `raw_hash`
    stays that of the wire copy, so the same copy coming again changes nothing.
    """
    content = clean_html(content)
    with transaction.atomic():
        item = (
            Article.objects.select_for_update()
            .filter(pk=item_id, kind=Kind.WIRE, raw_hash=raw_hash)
            .first()
        )
        if item is None or len(plain_text(content)) <= len(plain_text(item.content)):
            return False
        Revision.objects.create(
            article=item,
            number=item.revisions.count() + 1,
            title=item.title,
            summary=item.summary,
            content=item.content,
            via=Revision.Vias.TASK,
            note="As the source sent it; the text of its page follows",
        )
        now = timezone.now()
        item.content = _without_headline(content, item.title)
        item.metadata = {**item.metadata, "full_text": {"from": page, "at": now.isoformat()}}
        item.version += 1
        item.updated_at = now
        item.save(update_fields=["content", "metadata", "version", "updated_at"])
    return True


def _without_headline(content: str, title: str) -> str:
    """Pages repeat the headline above the text; the desk shows it already."""
    first = re.match(r"\s*<h2>(.*?)</h2>", content, re.S)
    if first and plain_text(first[1]).casefold() == title.strip().casefold():
        return content[first.end() :].lstrip()
    return content
