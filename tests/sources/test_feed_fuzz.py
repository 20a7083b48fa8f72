"""Any bytes at all: a feed or a `FeedError`, never anything else, never for long.

`tests/fuzz/fuzz_feeds.py` runs the same under atheris for as long as one likes.
"""

import time
from datetime import UTC
from urllib.parse import urljoin

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.feedparsing import MOST_ENTRIES, FeedError, parse
from sources.feedparsing.dates import parse_date
from sources.feedparsing.links import absolute
from sources.feedparsing.shape import as_json
from tests.fuzz.fuzz_feeds import SEEDS, check

CONTENT_TYPES = st.sampled_from(
    ["", "text/xml", "text/html; charset=utf-8", "text/xml; charset=utf-16", "x; charset=utf-7",
     "application/rss+xml; charset=punycode", "a; charset=\x00", "text/xml;charset=cp037"]
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=300), CONTENT_TYPES)
def test_any_bytes(document, content_type):
    check(document, content_type)


MEANING = (
    b"<", b">", b"&", b"]]>", b"<![CDATA[", b"<!--", b"-->", b"<?", b"\x00", b"&#0;", b"\xff",
    b"\xed\xa0\x80", b"<!DOCTYPE a [", b"<item>", b"</item>", b" xml:base='//['", b"&nbsp;", b"&x;",
    b"<a:b>", b"\xef\xbf\xbf", b"encoding='utf-16'", b'"', b"'", b"&#x80;", b"\xc2\x85",
)  # fmt: skip
ENCODINGS = ("utf-16", "utf-32", "utf-16-le", "utf-32-be", "cp037", "shift_jis", "iso2022_jp",
             "koi8_r")  # fmt: skip


@st.composite
def mutations(draw):
    """A feed with pieces cut out, doubled, swapped or replaced by bytes that mean something."""
    document = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(document)))
        size = draw(st.integers(0, 40))
        kind = draw(st.integers(0, 3))
        if kind == 0:
            del document[at : at + size]
        elif kind == 1:
            document[at:at] = document[at : at + size] * draw(st.integers(1, 20))
        elif kind == 2:
            document[at : at + size] = draw(st.binary(max_size=20))
        else:
            document[at:at] = draw(st.sampled_from(MEANING))
    return bytes(document)


@settings(deadline=None, max_examples=400)
@given(mutations(), CONTENT_TYPES)
def test_any_damage_to_a_feed(document, content_type):
    check(document, content_type)


@settings(deadline=None)
@given(st.sampled_from(SEEDS), st.sampled_from(ENCODINGS))
def test_any_encoding(seed, encoding):
    check(seed.decode("utf-8").encode(encoding, "replace"), "")


@settings(deadline=None)
@given(st.text(max_size=60) | st.from_regex(r"[0-9TZ:+\-./ ]{4,30}", fullmatch=True))
def test_any_date(text):
    moment = parse_date(text)
    assert moment is None or moment.tzinfo is UTC


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=40), st.integers(1000, 20_000))
def test_anything_repeated_stays_cheap(unit, times):
    began = time.process_time()
    for document in (unit * times, b"<rss><channel><item><title>" + unit * times):
        try:
            feed = parse(document)
        except FeedError:
            continue
        assert len(feed.entries) <= MOST_ENTRIES
        assert orjson.dumps(as_json(feed), default=str)
    assert time.process_time() - began < 1.5


@given(
    base=st.sampled_from(
        ["http://a.example/b/c?d=/e#f", "https://a.example", "http://a.example/b//c/", "/b/c", "",
         "http://a.example/b/../c/./d", "mailto:a@b.example", "file:///b/c", "http://a.example?b/c"]
    ),
    link=st.text(st.sampled_from("ab/.~%@-:?#;=é "), max_size=12),
)  # fmt: skip
def test_any_link_leads_where_the_standard_library_says(base, link):
    assert absolute(base, link) == urljoin(base, link.strip())
