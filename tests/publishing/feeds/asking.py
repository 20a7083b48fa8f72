"""Asking for our feeds as readers do, and changing what is in them."""

import feedparser
from django.test import Client as Browser
from lxml import etree

from articles import desk, revise
from publishing import amend, deliver, queue
from sources import feedparsing

FORMS = ("rss", "atom", "json")
XML = ("rss", "atom")
NAMESPACES = {
    "a": "http://www.w3.org/2005/Atom",
    "at": "http://purl.org/atompub/tombstones/1.0",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "media": "http://search.yahoo.com/mrss/",
}
FERRY = {
    "title": "Fähre & Brücke <wieder> da",
    "content": '<p>It <b>sails</b> again &amp; again.</p><p><img src="https://pics.example/a.jpg"'
    ' alt="The ferry, “Lind”"></p>',
    "summary": "At last: 1 < 2.",
    "authors": ["Alice Ek", "Bob Øst"],
    "tags": ["ferries", "sea & shore"],
    "language": "de",
}


def ask(form, slug="our-news", **headers):
    return Browser().get(f"/feeds/{slug}.{form}", headers=headers)


def parsed(form, slug="our-news"):
    answer = ask(form, slug)
    assert answer.status_code == 200
    return feedparsing.parse(
        answer.content, content_type=answer["Content-Type"], url="https://reader.example/"
    )


def tree(form):
    return etree.fromstring(ask(form).content, etree.XMLParser(recover=False))


def bozo(form):
    """What feedparser complains of."""
    answer = ask(form)
    headers = {"content-type": answer["Content-Type"]}
    found = feedparser.parse(answer.content, response_headers=headers)
    return found.get("bozo_exception") if found.bozo else None


def corrected(delivery, by, **text):
    """A correction of the story, queued to the same channel."""
    story = delivery.article
    story.refresh_from_db()
    desk.perform(story.pk, "correct", by, reason="A name was wrong.")
    story.refresh_from_db()
    revise.save(story.pk, by, story.version, text)
    desk.submit(story.pk, by)
    desk.approve(story.pk, by)
    [result] = queue.enqueue(story.pk, [delivery.channel_id], by)
    assert result.delivery is not None, result.problem
    return result.delivery


def killed(delivery, by):
    desk.perform(delivery.article_id, "kill", by, reason="It was wrong.")
    amend.withdraw()
    deliver.drain()
