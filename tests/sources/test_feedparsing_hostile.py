"""Documents made to hurt: refused or cut, quickly, and nothing is ever followed."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.feedparsing import MOST_ENTRIES, FeedError, parse

URL = "https://gazette.example/feed"
HEAD = b"<rss version='2.0'><channel><title>t</title>"
TAIL = b"</channel></rss>"
LONGEST = 5.0  # seconds; each of these takes far less unless something is quadratic


def outcome(document: bytes, content_type: str = "") -> str:
    """What became of it; fails when it took too long."""
    began = time.monotonic()
    try:
        feed = parse(document, content_type=content_type, url=URL)
        told = " ".join(piece.title + piece.content for piece in feed.entries)
    except FeedError as problem:
        told = f"refused: {problem}"
    assert time.monotonic() - began < LONGEST
    return told


def test_an_entity_bomb():
    levels = "".join(
        f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" if n else "<!ENTITY a0 'ha'>" for n in range(10)
    )
    bomb = (
        f"<!DOCTYPE rss [{levels}]><rss><channel><item><title>&a9;</title></item></channel></rss>"
    )
    assert "declares entities" in outcome(bomb.encode())
    assert "declares entities" in outcome(bomb.encode("utf-16"))


def test_an_external_entity_is_not_read(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    document = (
        f"<!DOCTYPE rss [<!ENTITY x SYSTEM 'file://{secret}'>]>"
        "<rss><channel><item><title>&x;</title></item></channel></rss>"
    )
    assert "hunter2" not in outcome(document.encode())


def test_an_external_dtd_is_not_asked_for(site):
    asked = []

    def answer(head: bytes) -> bytes:
        asked.append(head)
        return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    document = f'<!DOCTYPE rss SYSTEM "{site(answer)}/x.dtd">'.encode() + HEAD + TAIL
    assert outcome(document) == ""
    assert asked == []


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (HEAD + b"<a>" * 100_000, "nested deeper"),
        (HEAD + b"<item><title>x</title>" + b"<b>" * 100_000, "nested deeper"),
        (b"<rss " + b" ".join(b"a%d='1'" % n for n in range(400_000)) + b">", "far too many"),
        (HEAD + b"<item/>" * 500_000 + TAIL, "more elements than any feed"),
        (b"x" * (16 * 1024 * 1024), "larger than 10 MB"),
        (b"[" * 100_000, "can't be read"),
    ],
    ids=["deep", "deep in an item", "attributes", "elements", "huge", "deep json"],
)
def test_what_costs_a_parser_too_much_is_refused(document, words):
    assert words in outcome(document)


@pytest.mark.parametrize(
    ("document", "content_type"),
    [
        (b"<!---->" * 300 + b"x", ""),
        (b"<?xml version='1.0'?>" + b"<!-- -->\n" * 200_000 + b"<x/>", ""),
        (HEAD + b"<![CDATA[" * 1_000_000, ""),
        (HEAD + b"<!--" * 1_000_000, ""),
        (HEAD + b"<" * 3_000_000, ""),
        (HEAD + b"&" * 3_000_000, ""),
        (HEAD + b"<item><author>" + b"a@" * 500_000 + b"</author></item>" + TAIL, ""),
        (HEAD + b"<item><title>&lt;" + b"a" * 3_000_000 + b"</title></item>" + TAIL, ""),
        (HEAD + b"<item><description>" + b"&lt;a " * 300_000 + b"</description></item>" + TAIL, ""),
        (b"<?xml" + b" " * 3_000_000 + b"<rss", ""),
        (HEAD + b"a" * 3_000_000 + TAIL, "text/xml; charset=punycode"),
        (HEAD + b"a" * 3_000_000 + TAIL, "text/xml; charset=idna"),
    ],
    ids=[
        "comments", "many comments", "cdata never closed", "comment never closed", "lt", "amp",
        "author", "title tag", "open tags in text", "declaration", "punycode", "idna",
    ],
)  # fmt: skip
def test_nothing_takes_long(document, content_type):
    outcome(document, content_type)


def test_no_more_entries_than_a_desk_can_use():
    many = b"".join(b"<item><guid>%d</guid><title>t</title></item>" % n for n in range(2000))
    feed = parse(HEAD + many + TAIL, url=URL)
    assert len(feed.entries) == MOST_ENTRIES
    assert "2000" in feed.warnings[0]


@pytest.mark.parametrize("number", ["0", "xD800", "x00000000dfff", "1114112", "9" * 5000, "xFFFF"])
def test_a_number_that_is_no_character_costs_only_itself(number):
    document = HEAD + f"<item><title>a&#{number};b</title></item>".encode() + TAIL
    assert outcome(document) == "a\ufffdb"
    outcome(document.replace(b";b", b" <b"))


def test_control_characters_and_nuls_cost_only_themselves():
    assert outcome(HEAD + b"<item><title>a\x00\x1fb</title></item>" + TAIL) == "ab"
    assert outcome(b'{"items": [{"id": "1", "title": "a\\u0000b"}]}') != ""


_TAGS = (
    "item", "title", "link", "guid", "description", "pubDate", "author", "category", "entry",
    "content", "summary", "id", "dc:creator", "enclosure", "feed", "channel", "rss", "x:y",
)  # fmt: skip
_PIECES = st.one_of(
    st.sampled_from([f"<{tag}>" for tag in _TAGS] + [f"</{tag}>" for tag in _TAGS]),
    st.sampled_from(
        ["<link href='", "' rel='alternate'/>", "<![CDATA[", "]]>", "&nbsp;", "&#0;", "&#xD800;",
         "<!--", "-->", "xml:base='http://[x'", "http://[", "<?pi?>", "<title type='xhtml'>"]
    ),
    st.text(max_size=20),
)  # fmt: skip


@settings(deadline=None)  # outcome() sees to it; now and then a child is started
@given(st.lists(_PIECES, max_size=40))
def test_any_document_is_read_or_refused(pieces):
    inside = "".join(pieces).encode("utf-8", "surrogatepass")
    for document in (
        HEAD + b"<item>" + inside + b"</item>" + TAIL,
        b"<feed xmlns='http://www.w3.org/2005/Atom'><entry>" + inside + b"</entry></feed>",
        inside,
    ):
        outcome(document)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["id", "url", "title", "authors", "author", "name", "tags", "attachments", "image",
             "date_published", "content_html", "content_text", "summary", "language"]
        ),
        inner,
        max_size=6,
    ),
    max_leaves=20,
)  # fmt: skip


@given(st.lists(_JSON, max_size=5))
def test_any_json_feed_is_read_or_refused(items):
    import orjson

    try:
        document = orjson.dumps({"version": items and items[0], "items": items})
    except TypeError:  # an integer of more than 64 bits
        return
    outcome(document)


@given(st.text(max_size=60))
def test_any_date_is_read_or_none(text):
    from sources.feedparsing.dates import parse_date

    moment = parse_date(text)
    assert moment is None or moment.tzinfo is not None
