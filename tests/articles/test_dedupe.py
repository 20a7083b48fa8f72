"""When two pieces are one: keys, shared ids, changed ids, homepages and live blogs."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles import dedupe, identity
from articles.dedupe import Candidate, Known
from articles.wire import WireCopy

NOON = datetime(2026, 5, 12, 12, tzinfo=UTC)
SITE = "https://coast.example/news"


def piece(own, title="Ferry returns to Lindholm", link="", at=NOON, **more):
    return WireCopy(own, title, url=f"{SITE}/{link}" if link else "", published_at=at, **more)


def stored(copy, pk=1):
    """What the desk knows of `copy` once it has been filed as item `pk`."""
    found = identity.keys(copy)
    return Known(
        by_id={},
        by_key=dict.fromkeys(found.all(), pk),
        candidates=[Candidate(pk, copy.title, "coast.example", copy.published_at)],
    )


def matched(copy, known, *, present=(), shared=()):
    """How one piece, come alone, is recognised; None for a new one."""
    delivery = dedupe.sort_out([copy])
    found = {name: identity.keys(each) for name, each in delivery.pieces.items()}
    now = NOON + timedelta(days=9)
    return dedupe.match(delivery.pieces, found, known, present=present, shared=shared, now=now).get(
        copy.external_id
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://coast.example/1", "https://coast.example/1"),
        ("https://coast.example/1", "https://coast.example/1/"),
        ("http://Coast.Example/1/", "https://coast.example/1"),
    ],
)
def test_an_id_that_is_an_address_is_one_with_and_without_tls_and_slash(one, other):
    assert identity.own_key(one) == identity.own_key(other)
    assert dedupe.sort_out([piece(one), piece(other)]).duplicate == 1


def test_ids_that_are_no_addresses_are_compared_sign_by_sign():
    assert identity.own_key("tag:coast,2026:1/") != identity.own_key("tag:coast,2026:1")
    assert identity.own_key("A") != identity.own_key("a")


def test_a_source_whose_pieces_all_share_one_id_is_read_by_their_links():
    delivery = dedupe.sort_out(
        [piece("news", "Ferry returns", "1"), piece("news", "Fire in the harbour", "2")]
    )
    assert set(delivery.pieces) == {f"{SITE}/1", f"{SITE}/2"}
    assert delivery.duplicate == 0
    assert "2 different pieces share 1 id" in delivery.warnings[0]


def test_without_links_of_their_own_they_are_read_by_title_and_date():
    home = "https://coast.example/"
    delivery = dedupe.sort_out(
        [WireCopy("x", "Ferry returns", home), WireCopy("x", "Fire in the harbour", home)]
    )
    assert len(delivery.pieces) == 2


def test_untitled_posts_under_one_id_are_told_apart_by_their_words():
    posts = [WireCopy("x", "", content=text) for text in ("Ferry gone.", "Harbour closed.")]
    assert len(dedupe.sort_out(posts).pieces) == 2


def test_two_versions_of_one_piece_are_one_and_the_later_stays():
    old = piece("1", "Ferry returned to Lindholm", "1", updated_at=NOON)
    new = piece("1", "Ferry returns to Lindholm", "1", updated_at=NOON + timedelta(hours=1))
    for order in ([old, new], [new, old]):
        delivery = dedupe.sort_out(order)
        assert delivery.pieces == {"1": new}
        assert (delivery.duplicate, delivery.warnings) == (1, ())


def test_a_changed_id_with_the_same_link_is_the_same_piece():
    known = stored(piece("1", link="1"))
    assert matched(piece("2", "Quite another headline", "1"), known).by == "address"


def test_a_changed_id_and_link_with_a_similar_title_is_the_same_piece():
    known = stored(piece("1", "Ferry returns to Lindholm", "1"))
    late = NOON + timedelta(hours=47)
    found = matched(piece("2", "Ferry returned to Lindholm", "2", late), known)
    assert (found.by, found.likeness > 0.9) == ("title", True)


@pytest.mark.parametrize(
    ("case", "copy"),
    [
        ("three days later", piece("2", link="1", at=NOON + timedelta(days=3))),
        ("another title", piece("2", "Fire in the harbour", "2")),
        ("another number", piece("2", "Ferry returns to Lindholm 2", "2")),
        ("another site", WireCopy("2", "Ferry returns to Lindholm!", "https://inland.example/2")),
        ("a firm id", piece("2", link="1", firm_id=True)),
    ],
)
def test_a_new_id_is_a_new_piece(case, copy):
    assert matched(copy, stored(piece("1", link="1"))) is None


def test_a_piece_whose_old_id_is_still_there_has_not_changed_it():
    known = stored(piece("1", link="1"))
    assert matched(piece("2", link="1"), known, present={1}) is None


def test_a_homepage_is_nobodys_address():
    for link in ("https://coast.example", "http://coast.example/", "https://coast.example/#top"):
        assert identity.address_key(link) == ""


def test_entries_of_a_live_blog_told_apart_by_fragment_have_addresses_of_their_own():
    keys = {identity.address_key(f"{SITE}/live#entry-{n}") for n in range(3)}
    assert len(keys) == 3


def test_a_link_that_several_entries_share_recognises_none_of_them():
    blog = [piece(str(n), f"{word} at the pier", "live") for n, word in enumerate(("One", "Two"))]
    shared = dedupe.shared_keys({copy.external_id: identity.keys(copy) for copy in blog})
    assert identity.address_key(f"{SITE}/live") in shared
    known = stored(piece("9", "Storm warning for the whole coast", "live"))
    assert matched(blog[0], known, shared=shared) is None


def test_a_key_once_found_to_be_nobodys_is_not_trusted_again():
    copy = piece("g", "Fire in the harbour", "2")
    nobodys = {identity.own_key("g")}
    assert list(dedupe.renamed({"g": copy}, nobodys, taken=(), besides=())) == [f"{SITE}/2"]
    known = Known(by_key={identity.own_key("g"): 1}, nobodys=nobodys)
    assert matched(copy, known) is None


def test_a_firm_id_stands_whatever_bore_it_before():
    nobodys = {identity.own_key("g")}
    copy = piece("g", "Fire in the harbour", "2", firm_id=True)
    assert dedupe.renamed({"g": copy}, nobodys, taken=(), besides=()) == {"g": copy}


def test_of_equal_versions_the_same_one_stays_in_either_order():
    loose, firm = piece("g", link="1"), piece("g", link="1", firm_id=True)
    kept = [dedupe.sort_out(order).pieces["g"] for order in ([loose, firm], [firm, loose])]
    assert kept == [firm, firm]


def test_the_likest_pair_is_matched_first_and_every_item_once():
    known = Known(
        candidates=[
            Candidate(1, "Ferry returns to Lindholm", "", NOON),
            Candidate(2, "Ferry returns to Lindholm pier", "", NOON),
        ]
    )
    pieces = {
        "a": piece("a", "Ferry returns to Lindholm pier"),
        "b": piece("b", "Ferry returns to Lindholm"),
    }
    found = {name: identity.keys(copy) for name, copy in pieces.items()}
    for order in (["a", "b"], ["b", "a"]):
        matches = dedupe.match(
            {name: pieces[name] for name in order}, found, known, present=(), shared=(), now=NOON
        )
        assert (matches["a"].item, matches["b"].item) == (2, 1)


def test_words_in_another_order_are_another_headline():
    assert identity.likeness("Dog bites man", "Man bites dog") < identity.ALIKE
    assert identity.likeness("Fire", "Fire in the harbour kills two") < identity.ALIKE
    assert (
        identity.likeness("Ferry returns to port", "UPDATE: Ferry returns to port") > identity.ALIKE
    )


copies = st.builds(
    WireCopy,
    external_id=st.sampled_from(["1", "2", "3", "http://a.example/1", "https://a.example/1/"]),
    title=st.sampled_from(["Ferry returns", "Fire in the harbour", "Storm warning", ""]),
    url=st.sampled_from(["", "https://a.example/", "https://a.example/1", "https://a.example/2"]),
    content=st.sampled_from(["", "<p>One</p>", "<p>Two</p>"]),
    published_at=st.sampled_from([None, NOON, NOON + timedelta(days=1)]),
    firm_id=st.sampled_from([False, False, True]),
)


@given(st.lists(copies, max_size=8), st.randoms())
def test_the_order_of_entries_does_not_matter(delivered, rng):
    shuffled = list(delivered)
    rng.shuffle(shuffled)
    one, other = dedupe.sort_out(delivered), dedupe.sort_out(shuffled)
    assert one.pieces == other.pieces
    assert (one.duplicate, one.shared, one.warnings) == (
        other.duplicate, other.shared, other.warnings,
    )  # fmt: skip


@given(st.lists(copies, max_size=8))
def test_every_entry_is_a_piece_a_duplicate_or_rejected(delivered):
    found = dedupe.sort_out(delivered)
    assert len(found.pieces) + found.duplicate + len(found.rejected) == len(delivered)


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60), st.datetimes())
def test_no_text_is_too_odd_for_a_key(own, title, url, moment):
    copy = WireCopy(own, title, url=url, published_at=moment.replace(tzinfo=UTC))
    assert all(len(key) <= 40 for key in identity.keys(copy).all())
    assert 0 <= identity.likeness(title, url) <= 1


BRIEFING = (
    "The council met late, the ferry was on time, and the harbour stayed open all night, though "
    "the wind was strong and the waves came over the pier twice before four in the morning."
)
OTHER = (
    "Schools close at noon today while snow ploughs clear the main road towards the hills; buses "
    "run once an hour until six and nobody should drive without a shovel and a warm blanket."
)


@pytest.mark.parametrize(
    ("by", "title", "text", "holds"),
    [
        ("title", "Morning briefing", OTHER, False),
        ("title", "Morning briefing", f"UPDATE: {BRIEFING}", True),
        ("title", "Morning briefing", "Short.", True),
        ("address", "Morning briefing", OTHER, True),
        ("address", "Snow on the hills", OTHER, False),
        ("address", "Snow on the hills", f"{BRIEFING} And more.", True),
        ("id", "Snow on the hills", OTHER, True),
    ],
)
def test_a_title_or_a_link_in_common_needs_some_text_in_common(by, title, text, holds):
    copy = WireCopy("2", title, content=text)
    assert dedupe.holds(dedupe.Match(1, by), copy, "Morning briefing", BRIEFING) is holds
