"""Composing: counted by each platform's rule, shortened where a reader would, never too long."""

from html.parser import HTMLParser

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from lxml import html as lxml_html
from markdown_it import MarkdownIt

from articles.clean import clean_html
from publishing import compose, writing
from publishing.counting import Ruler, Unit
from publishing.document import read
from publishing.facets import facets
from publishing.links import Link, link, tagged
from publishing.post import Post
from publishing.shortening import shortened, thread

FAMILY = "👨‍👩‍👧‍👦"
LINK = "https://example.org/a-rather-long-address-of-a-story"
STORY = """
<h2>The harbour</h2>
<p>The <strong>ferry</strong> sails <em>again</em>,  says <a href="https://x.example/a(b)">the
town</a>.<br>Tickets cost 5 &lt; 6 euros.</p>
<ul><li>Monday</li><li>Tuesday<ul><li>morning</li></ul></li></ul>
<ol start="3"><li>third</li></ol>
<blockquote><p>We waited.</p></blockquote>
<pre>a  b
c</pre><hr>
<figure><img src="https://x.example/p.jpg" alt="The ferry"><figcaption>At sea</figcaption></figure>
"""


# --- counting ---


@pytest.mark.parametrize(
    ("unit", "text", "count"),
    [
        (Unit.GRAPHEMES, "abc", 3), (Unit.GRAPHEMES, FAMILY, 1), (Unit.GRAPHEMES, "e\u0301", 1),
        (Unit.GRAPHEMES, "नमस्ते", 3), (Unit.GRAPHEMES, "🇦🇹🇩🇪", 2),
        (Unit.CODE_POINTS, FAMILY, 7), (Unit.UTF16, "🇦", 2), (Unit.UTF16, FAMILY, 11),
        (Unit.BYTES, "é€", 5), (Unit.WEIGHTED, "東京", 4), (Unit.WEIGHTED, "Größe…", 7),
        (Unit.WEIGHTED, FAMILY, 2),
    ],
)  # fmt: skip
def test_every_unit_counts_in_its_own_way(unit, text, count):
    assert Ruler(500, unit).length(text) == count


def test_a_link_counts_what_the_platform_says_and_the_full_stop_after_it_for_itself():
    assert Ruler(500, url_counts=23).length(f"see {LINK}.") == 4 + 23 + 1
    assert Ruler(500).length(LINK) == len(LINK)


def test_a_second_limit_in_bytes_holds_as_well():
    ruler = Ruler(10, most_bytes=12)
    assert ruler.fits("abcdefghij")
    assert not ruler.fits("東京東京東")
    assert ruler.over("東京東京東") == 3


# --- shortening ---


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("Short.", 10, "Short."),
        ("One sentence here. Another one follows it.", 30, "One sentence here."),
        ("Dr. Ames of St. Ives came by again", 20, "Dr. Ames of St.…"),
        ("Unbroken" * 10, 9, "Unbroken…"),
        ("Yes. " + "word " * 20, 40, "Yes. word word word word word word word…"),
        ("anything", 1, ""),
    ],
)
def test_a_text_is_cut_where_a_reader_would(text, limit, short):
    assert shortened(text, Ruler(limit)) == short


RULERS = st.builds(
    Ruler,
    st.integers(min_value=30, max_value=600),
    st.sampled_from(Unit),
    st.sampled_from([None, 23]),
    st.sampled_from([None, 200, 3000]),
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=900)


@given(TEXTS, RULERS)
def test_a_shortened_text_always_fits(text, ruler):
    assert ruler.fits(shortened(text, ruler))


@given(TEXTS, RULERS, st.integers(min_value=1, max_value=30))
def test_every_part_of_a_thread_fits_and_nothing_is_lost_before_the_last(text, ruler, most):
    parts = thread(text, ruler, most=most)
    assert len(parts) <= most
    assert all(ruler.fits(part) for part in parts)
    if len(parts) > 1:
        bare = [part.split(" ", 1)[1] for part in parts if " " in part]
        told = "".join("".join(bare[:-1]).split())
        assert "".join(text.split()).startswith(told)


def test_a_thread_ends_its_parts_at_paragraphs_and_sentences():
    text = "First thing. Second thing.\n\nThird thing, at some length. Fourth."
    assert thread(text, Ruler(40)) == [
        "1/3 First thing. Second thing.",
        "2/3 Third thing, at some length.",
        "3/3 Fourth.",
    ]


# --- the short form and the thread of a story ---


def test_a_short_post_holds_title_summary_link_and_tags():
    post = Post(
        "Ferry returns", "", "", summary="It sails.", url="https://x.example/1",
        tags=("North Sea", "ferry"),
    )  # fmt: skip
    assert compose.short_text(post, Ruler(500)) == (
        "Ferry returns\n\nIt sails.\n\nhttps://x.example/1\n\n#NorthSea #ferry"
    )


def test_a_long_summary_ends_at_a_sentence():
    post = Post("T", "", "", summary="One sentence here. " * 30, url="https://x.example/1")
    ruler = Ruler(100, url_counts=23)
    text = compose.short_text(post, ruler)
    assert ruler.fits(text)
    assert "here.\n\nhttps://x.example/1" in text


@given(
    TEXTS, TEXTS, st.lists(st.text(max_size=20), max_size=6), st.booleans(),
    st.integers(min_value=60, max_value=600),
)  # fmt: skip
def test_a_short_post_never_exceeds_its_limit_and_keeps_its_link(
    title, summary, tags, linked, limit
):
    post = Post(title, "", "", summary=summary, url=LINK if linked else "", tags=tuple(tags))
    ruler = Ruler(limit, url_counts=23)
    text = compose.short_text(post, ruler)
    assert ruler.fits(text)
    assert not linked or LINK in text


@given(TEXTS, TEXTS, st.integers(min_value=100, max_value=500))
def test_a_storys_thread_fits_and_ends_with_its_link(title, text, limit):
    ruler = Ruler(limit, Unit.WEIGHTED, url_counts=23)
    parts = compose.whole_thread(Post(title, "", text, url=LINK), ruler, most=6)
    assert all(ruler.fits(part) for part in parts)
    assert parts[-1].endswith(LINK)
    assert len(parts) <= 7


@given(st.text(max_size=50))
def test_a_hashtag_is_one_word(tag):
    for word in compose.hashtags([tag]):
        assert word.startswith("#")
        assert len(word.split()) == 1
        assert not word[1:].isdigit()


# --- one reading of the text, many forms ---


def test_plain_text_keeps_lists_and_blocks():
    assert writing.plain(read(clean_html(STORY))) == (
        "The harbour\n\nThe ferry sails again, says the town.\nTickets cost 5 < 6 euros.\n\n"
        "• Monday\n• Tuesday\n   • morning\n3. third\n\n“We waited.”\n\na  b\nc\n\n* * *\n\nAt sea"
    )


def test_slack_escapes_and_marks_in_its_own_way():
    text = writing.slack(read(clean_html(STORY)))
    assert "*ferry* sails _again_, says <https://x.example/a(b)|the town>" in text
    assert "5 &lt; 6" in text


def test_telegram_gets_only_tags_that_it_knows():
    class Tags(HTMLParser):
        seen: set[str] = set()

        def handle_starttag(self, tag, attrs):
            self.seen.add(tag)

    parser = Tags()
    parser.feed(writing.telegram(read(clean_html(STORY))))
    assert parser.seen <= {"a", "b", "i", "s", "code", "pre", "blockquote"}


def test_pictures_are_listed_with_what_they_show():
    picture = read(clean_html(STORY)).pictures[0]
    assert (picture.src, picture.alt) == ("https://x.example/p.jpg", "The ferry")


def words(markup: str) -> list[str]:
    return "".join(
        lxml_html.fragment_fromstring(markup or " ", create_parent="div").itertext()
    ).split()


def test_markdown_says_the_same_as_the_story():
    document = read(clean_html(STORY))
    rendered = MarkdownIt("commonmark").enable("strikethrough").render(writing.markdown(document))
    assert "".join(words(rendered)) == "".join(words(clean_html(STORY)))
    assert '<a href="https://x.example/a%28b%29">the town</a>' in rendered
    assert "<strong>ferry</strong>" in rendered


INLINE = st.text(st.sampled_from("ab *_`[]()<>#-+1.!~|\\ é&=amp;"), min_size=1, max_size=30)


@given(INLINE)
def test_no_text_becomes_a_mark_by_accident(text):
    from html import escape

    assume(text.strip())
    document = read(clean_html(f"<p>{escape(text)}</p>"))
    rendered = MarkdownIt("commonmark").enable("strikethrough").render(writing.markdown(document))
    assert words(rendered) == text.split()
    assert "<em>" not in rendered


@given(st.text(max_size=300))
def test_reading_never_fails_whatever_the_markup(text):
    document = read(clean_html(text))
    for write in (writing.plain, writing.markdown, writing.slack, writing.telegram):
        write(document)


# --- links ---


def test_facets_are_counted_in_bytes():
    text = "Größe: https://x.example/ü, #Nachricht #12 (https://y.example/b)."
    found = facets(text)
    raw = text.encode()
    assert [raw[each.start : each.end].decode() for each in found] == [
        "https://x.example/ü", "#Nachricht", "https://y.example/b",
    ]  # fmt: skip
    assert [each.kind for each in found] == ["link", "tag", "link"]


@given(TEXTS)
def test_facets_lie_inside_the_text_and_apart(text):
    raw, end = text.encode(), 0
    for each in facets(text):
        assert end <= each.start < each.end <= len(raw)
        raw[each.start : each.end].decode()
        end = each.end


def test_a_link_is_tagged_once_and_keeps_what_stands_there():
    assert tagged("https://x.example/a?b=1#c", source="mastodon") == (
        "https://x.example/a?b=1&utm_source=mastodon#c"
    )
    own = "https://x.example/?utm_source=print"
    assert tagged(own, source="mastodon") == own
    assert tagged("", source="mastodon") == ""


OURS, THEIRS = "https://www.example.org/stories/7", "https://other.example/a"


@pytest.mark.parametrize(
    ("wanted", "ours", "leads_to"),
    [
        (Link.OURS, OURS, f"{OURS}?utm_source=newsletter&utm_medium=email"),
        (Link.OURS, "", THEIRS),  # and theirs is never tagged
        (Link.THEIRS, OURS, THEIRS),
        (Link.NONE, OURS, ""),
    ],
)
def test_a_channel_says_which_link_goes_along(wanted, ours, leads_to):
    made = link(wanted, ours=ours, theirs=THEIRS, source="newsletter", medium="email")
    assert made == leads_to
