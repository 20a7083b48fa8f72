import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.canonical import canonical_url


@pytest.mark.parametrize(
    ("address", "canonical"),
    [
        ("HTTPS://Example.ORG:443/a/../b?utm_source=x#top", "https://example.org/b"),
        ("http://example.org", "http://example.org/"),
        ("https://example.org/?b=2&a=1", "https://example.org/?b=2&a=1"),
        ("https://example.org/watch?v=abc&fbclid=1", "https://example.org/watch?v=abc"),
        ("https://example.org/?id=7&utm_medium=mail&page=2", "https://example.org/?id=7&page=2"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("javascript:alert(1)", ""),
        ("ftp://example.org/a", ""),
        ("no address", ""),
        ("", ""),
        ("https://example.org/" + "a" * 3000, ""),
    ],
)
def test_one_spelling_for_one_address(address, canonical):
    assert canonical_url(address) == canonical


@pytest.mark.parametrize("name", ["v", "id", "p", "article", "ref", "s", "q", "story", "source"])
def test_a_parameter_that_may_name_content_is_kept(name):
    assert f"{name}=1" in canonical_url(f"https://example.org/?{name}=1")


@given(st.text(max_size=200))
def test_any_text_is_either_refused_or_stable(text):
    once = canonical_url(text)
    assert canonical_url(once) == once
