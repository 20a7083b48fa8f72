import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.canonical import TRACKING, canonical_url, host_of


@pytest.mark.parametrize(
    ("address", "canonical"),
    [
        ("HTTPS://Example.ORG:443/a/../b?utm_source=x#top", "https://example.org/b"),
        ("http://example.org", "http://example.org/"),
        ("http://example.org:80/a?", "http://example.org/a"),
        ("http://example.org:8080/a#", "http://example.org:8080/a"),
        ("https://example.org/?b=2&a=1", "https://example.org/?b=2&a=1"),
        ("https://example.org/watch?v=abc&fbclid=1", "https://example.org/watch?v=abc"),
        ("https://example.org/?id=7&utm_medium=mail&page=2", "https://example.org/?id=7&page=2"),
        ("https://example.org/?UTM_Source=x&%75tm_medium=y&id=7", "https://example.org/?id=7"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("https://who:secret@example.org/a", "https://example.org/a"),
        ("https://example.org/a?to=https://x@y.example/", "https://example.org/a?to=https://x@y.example/"),
        ("  https://example.org/a\n", "https://example.org/a"),
        ("javascript:alert(1)", ""),
        ("ftp://example.org/a", ""),
        ("no address", ""),
        ("", ""),
        ("https://example.org/" + "a" * 3000, ""),
    ],
)  # fmt: skip
def test_one_spelling_for_one_address(address, canonical):
    assert canonical_url(address) == canonical


@pytest.mark.parametrize(
    "name",
    [
        "v", "id", "p", "article", "ref", "s", "t", "q", "story", "source", "storyid", "story_id",
        "item", "a", "cid", "sid", "nid", "aid", "cmp", "si", "partner", "feature", "pk", "pk_id",
        "page", "lang", "ocid", "amp", "date", "tab", "trk", "campaign",
    ],
)  # fmt: skip
def test_a_parameter_that_may_name_content_is_kept(name):
    assert f"{name}=1" in canonical_url(f"https://example.org/?{name}=1")


@pytest.mark.parametrize(
    ("address", "canonical"),
    [
        ("https://youtube.com/watch?v=a1&si=x&t=10&pp=y", "https://www.youtube.com/watch?v=a1&t=10"),
        ("https://youtu.be/a1?si=x", "https://www.youtube.com/watch?v=a1"),
        ("https://mobile.twitter.com/a/status/1?s=20&t=z", "https://x.com/a/status/1"),
        ("https://old.reddit.com/r/a/comments/1/b/?rdt=1", "https://www.reddit.com/r/a/comments/1/b/"),
        ("https://www.theguardian.com/a?CMP=share_btn", "https://www.theguardian.com/a"),
        ("https://export.arxiv.org/abs/2605.01234v2", "https://arxiv.org/abs/2605.01234v2"),
        ("https://www.bbc.co.uk/news/a?at_medium=RSS&ocid=x", "https://www.bbc.co.uk/news/a"),
    ],
)  # fmt: skip
def test_a_site_that_is_known_has_rules_of_its_own(address, canonical):
    assert canonical_url(address) == canonical


@pytest.mark.parametrize(
    ("address", "canonical"),
    [
        ("https://www.google.com/amp/s/example.org/a?x=1", "https://example.org/a?x=1"),
        ("https://example-org.cdn.ampproject.org/c/s/example.org/a", "https://example.org/a"),
        ("https://example-org.cdn.ampproject.org/v/s/example.org/a?utm_id=1", "https://example.org/a"),
        ("https://www.google.com/amp/", "https://www.google.com/amp/"),
        ("https://amp.theguardian.com/world/a", "https://www.theguardian.com/world/a"),
    ],
)  # fmt: skip
def test_a_cached_page_is_led_back_to_its_publisher(address, canonical):
    assert canonical_url(address) == canonical


@pytest.mark.parametrize(
    "address",
    [
        "https://m.example.org/a",  # may well be another site
        "https://www.example.org/a",
        "https://example.org/amp/a",
        "https://example.org/a/amp/",
        "https://example.org/a?amp=1",
        "https://example.org/a/",
        "https://example.org/#!/story/7",
        "https://example.org/app#/story/7",
    ],
)
def test_nothing_is_guessed(address):
    assert canonical_url(address) == address


def test_every_name_in_the_table_is_written_as_it_is_compared():
    assert {name.lower() for name in TRACKING} == TRACKING


def test_the_host_of_an_address():
    assert host_of("https://www.coast.example:8443/a") == "coast.example"
    assert host_of("") == ""


@given(st.text(max_size=200))
def test_any_text_is_either_refused_or_stable(text):
    once = canonical_url(text)
    assert canonical_url(once) == once


parts = st.text("abé/?#&=@:.%!~ü ", max_size=30)
hosts = st.sampled_from([
    "example.org", "www.google.com/amp/s", "youtu.be", "x.com", "a.cdn.ampproject.org/c/s",
    "old.reddit.com", "u:p@example.org:443",
])  # fmt: skip


@given(st.sampled_from(["http", "HTTPS"]), hosts, parts, st.sampled_from(sorted(TRACKING)))
def test_a_canonical_address_stays_as_it_is(scheme, host, rest, name):
    once = canonical_url(f"{scheme}://{host}/{rest}&{name}=1")
    assert canonical_url(once) == once
