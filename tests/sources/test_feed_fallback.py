"""Documents too broken for our own reading get a second one, in a child that may be lost."""

import os
import signal
import time

import pytest

from sources.feedparsing import FeedError, fallback, parse

URL = "https://gazette.example/feed"
BROKEN = (
    b"<export><news><item><title>Ferry <b>runs</title><link>https://gazette.example/1</link>"
    b"<author>Ines Talbot</author><category>Sea</category><guid>urn:1</guid>"
    b"<pubDate>Mon, 04 May 2026 10:00:00 GMT</pubDate><description>Text</description>"
    b"<enclosure url='/a.mp3' type='audio/mpeg' length='7'/></item>"
)


def child() -> int:
    running = fallback._reader._child
    assert running is not None
    assert running.poll() is None
    return running.pid


def test_what_is_no_feed_to_us_is_read_by_feedparser():
    feed = parse(BROKEN, url=URL)
    (piece,) = feed.entries
    assert (piece.external_id, piece.url) == ("urn:1", "https://gazette.example/1")
    assert piece.content == "Text"
    assert (piece.authors, piece.tags) == (("Ines Talbot",), ("Sea",))
    assert piece.published_at.isoformat() == "2026-05-04T10:00:00+00:00"
    assert piece.metadata["enclosures"] == [
        {"url": "https://gazette.example/a.mp3", "type": "audio/mpeg", "length": 7}
    ]
    assert "too broken" in feed.warnings[0]


def test_the_child_is_kept_for_the_next_document():
    parse(BROKEN, url=URL)
    first = child()
    parse(BROKEN, url=URL)
    assert child() == first


def test_a_lost_child_costs_one_document_at_most():
    parse(BROKEN, url=URL)
    os.kill(child(), signal.SIGKILL)
    fallback._reader._child.wait()
    assert len(parse(BROKEN, url=URL).entries) == 1


def test_a_document_that_takes_too_long_ends_the_child_not_us():
    item = b"<item><title>a</title><description>&lt;p&gt;x &amp; y&lt;/p&gt;</description></item>"
    costly = b"<export><news>" + item * 18_000
    began = time.process_time()
    with pytest.raises(FeedError):
        parse(costly, url=URL)
    assert time.process_time() - began < 5
    assert fallback._reader._child is None
    assert len(parse(BROKEN, url=URL).entries) == 1


def test_the_child_may_use_a_hundred_megabytes_beyond_what_it_needs_to_exist():
    parse(BROKEN, url=URL)
    with open(f"/proc/{child()}/limits", encoding="ascii") as told:
        (line,) = [line for line in told if line.startswith("Max address space")]
    with open(f"/proc/{child()}/statm", encoding="ascii") as told:
        now = int(told.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    assert 0 < int(line.split()[3]) <= now + 100 * 1024 * 1024


def test_words_that_are_no_feed_start_nothing():
    fallback._reader.stop()
    with pytest.raises(FeedError):
        parse(b"just words", url=URL)
    assert fallback._reader._child is None
