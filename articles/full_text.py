"""The whole text of a wire item, where its source sent only an opening."""

import re
from dataclasses import replace

from django.db import transaction
from django.utils import timezone

from articles.clean import clean_html, plain_text
from articles.fair_copy import FairCopy
from articles.lifecycle import Kind
from articles.models import Article, Revision

_NOTE = "As the source sent it; the text of its page follows"


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
            note=_NOTE,
        )
        now = timezone.now()
        item.content = _without_headline(content, item.title)
        item.metadata = {**item.metadata, "full_text": {"from": page, "at": now.isoformat()}}
        item.version += 1
        item.updated_at = now
        item.save(update_fields=["content", "metadata", "version", "updated_at"])
    return True


def kept(item: Article, copy: FairCopy) -> FairCopy:
    """`copy`, a new version of `item`, with the page's text instead of the opening it had before.

    Unchanged if the item has no page's text, or if the source's own text is another one by now.
    """
    taken = item.metadata.get("full_text")
    if not taken:
        return copy
    own = item.revisions.filter(note=_NOTE).first()
    if own is None or own.content != copy.content:
        return copy
    return replace(copy, content=item.content, metadata={**copy.metadata, "full_text": taken})


def _without_headline(content: str, title: str) -> str:
    """Pages repeat the headline above the text; the desk shows it already."""
    first = re.match(r"\s*<h2>(.*?)</h2>", content, re.S)
    if first and plain_text(first[1]).casefold() == title.strip().casefold():
        return content[first.end() :].lstrip()
    return content
