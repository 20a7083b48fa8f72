"""Which items are about one event: copies, rewordings, follow-ups, columns; the labelled set."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from articles import labelled
from articles.bcubed import bcubed
from articles.labelled import Labelled, NotLabelled
from articles.terms import MOST, terms, unpacked

NOON = datetime(2026, 5, 12, 12, tzinfo=UTC)
QUAKE = (
    "Magnitude 6.4 earthquake strikes off Vanora coast",
    "A magnitude 6.4 earthquake struck off the northern coast of Vanora early on Tuesday. The "
    "tremor was centred 38 km off the town of Telua. There were no reports of casualties.",
)
QUAKE_ELSEWHERE = (
    "Strong quake shakes northern Vanora, tsunami alert issued",
    "Residents of Telua ran into the streets when a strong earthquake rattled northern Vanora. "
    "Authorities issued a tsunami alert for the coast.",
)
OTHER_QUAKE = (
    "Magnitude 5.8 earthquake hits Karsk mountains",
    "A magnitude 5.8 earthquake shook the Karsk mountains in the evening. The epicentre was near "
    "Orlov Pass at a depth of 10 km.",
)


def item(title, text="", *, hours=0.0, source="", language=""):
    return Labelled(title, text, "", NOON + timedelta(hours=hours), source, language)


def groups(*items):
    """The items' clusters, by the places of their items."""
    found: dict[int, list[int]] = {}
    for place, number in enumerate(labelled.clustered(items)):
        found.setdefault(number, []).append(place)
    return sorted(found.values())


def test_two_reports_of_one_event_meet_and_a_similar_event_stays_apart():
    assert groups(
        item(*QUAKE, source="a"), item(*OTHER_QUAKE, source="b", hours=1),
        item(*QUAKE_ELSEWHERE, source="b", hours=1),
    ) == [[0, 2], [1]]  # fmt: skip


def test_copies_of_a_wire_meet_even_where_the_headline_says_nothing():
    text = "The Northmark index closed 0.8 percent higher at 4,212 points, led by Hollin Bank."
    copies = [item("Stocks close higher", text, source=name) for name in "abc"]
    assert groups(*copies) == [[0, 1, 2]]


@pytest.mark.parametrize(
    ("titles", "texts"),
    [
        (
            ["Morning briefing: Tuesday", "Morning briefing: Friday", "Morning briefing: Sunday"],
            ["A quake in Vanora, the rail strike.", "Hollin Bank reports, a rare bird.", "Fog."],
        ),
        (
            ["The weekly quiz: how closely did you follow the news?"] * 3,
            ["Ten questions about whales.", "Ten questions about storms.", "Ten more questions."],
        ),
        (["Live updates: dam evacuation", "Live updates: budget day", "Live updates: derby"], [""]),
        (["Lottery numbers for 3 May", "Lottery numbers for 5 May", "Lottery numbers for 7 May"],
         ["The numbers are 4, 11, 19.", "The numbers are 2, 9, 17.", "The numbers are 5, 6, 7."]),
        (
            ["Obituary: Greta Lenz, composer", "Obituary: Sam Harker, geologist",
             "Obituary: Awa Diallo, judge"],
            ["She wrote eleven operas.", "He mapped the sea floor.", "She opened the archives."],
        ),
    ],
)  # fmt: skip
def test_a_column_of_one_source_is_never_one_event(titles, texts):
    column = [
        item(title, texts[place % len(texts)], hours=24 * place, source="meridian")
        for place, title in enumerate(titles)
    ]
    assert groups(*column) == [[0], [1], [2]]


def test_an_event_of_last_week_is_not_joined_again():
    assert groups(item(*QUAKE, source="a"), item(*QUAKE, source="b", hours=24 * 7)) == [[0], [1]]


def test_a_follow_up_a_day_later_joins():
    later = item(
        "Vanora quake: death toll rises to nine",
        "Nine people are dead after the earthquake off Telua in northern Vanora.",
        hours=26,
        source="c",
    )
    assert groups(item(*QUAKE, source="a"), later) == [[0, 1]]


def test_reports_meet_in_german_spanish_and_japanese_as_well():
    assert groups(
        item("Erdrutsch verschüttet Straße bei Sankt Veit",
             "Die Straße nach Sankt Veit ist nach einem Erdrutsch gesperrt.", source="a"),
        item("Sankt Veit nach Erdrutsch abgeschnitten",
             "Nach dem Erdrutsch bleibt Sankt Veit von der Außenwelt abgeschnitten.", source="b"),
        item("Inundaciones en Valmora dejan tres muertos",
             "Las lluvias han causado inundaciones en Valmora.", source="c"),
        item("Tres fallecidos por las lluvias en Valmora",
             "Tres personas han muerto por las lluvias en Valmora.", source="d"),
        item("北部で地震、津波注意報", "北部の沖で強い地震があった。", source="e"),
        item("北部沖で強い地震 津波注意報が出る", "", source="f"),
    ) == [[0, 1], [2, 3], [4, 5]]  # fmt: skip


def test_the_same_items_make_the_same_clusters_every_time():
    items = labelled.read(_ours())[:150]
    assert labelled.clustered(items) == labelled.clustered(items)


def test_what_a_text_is_recognised_by_survives_packing():
    made = terms(*QUAKE)
    shelf = unpacked([made.packed(), terms("").packed(), made.packed()])
    assert shelf.starts.tolist() == [0, len(made.codes), len(made.codes), 2 * len(made.codes)]
    assert shelf.codes[: len(made.codes)].tolist() == made.codes.tolist()
    assert shelf.weights[: len(made.codes)] == pytest.approx(made.weights, abs=0.02)
    assert shelf.in_title[: len(made.codes)].tolist() == made.in_title.tolist()


def test_inflected_words_and_possessives_meet():
    plain = terms("minister resigns over delayed trains")
    other = terms("Ministers resigned over Lindholm's delaying of a train")
    assert len(set(plain.codes.tolist()) & set(other.codes.tolist())) == 4


@given(st.text(max_size=300), st.text(max_size=2000), st.text(max_size=5))
def test_any_text_has_terms(title, text, language):
    made = terms(title, text, language)
    assert len(made.codes) <= MOST
    assert (made.weights > 0).all()
    assert made.codes.tolist() == sorted(set(made.codes.tolist()))


def test_bcubed_gives_the_marks_one_works_out_by_hand():
    marks = bcubed(["quake", "quake", "quake", "storm"], [1, 1, 2, 2])
    assert marks.precision == pytest.approx((1 + 1 + 0.5 + 0.5) / 4)
    assert marks.recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1) / 4)
    assert marks.f1 == pytest.approx(2 * 0.75 * (8 / 12) / (0.75 + 8 / 12))
    assert (marks.items, marks.events, marks.clusters) == (4, 2, 2)


def test_all_alone_is_precise_and_all_in_one_recalls():
    assert bcubed(["a", "a"], [1, 2]).precision == 1
    assert bcubed(["a", "b"], [1, 1]).recall == 1
    with pytest.raises(ValueError, match="at least one"):
        bcubed([], [])


def test_our_labelled_set_reaches_its_goal_and_what_was_held_out_is_near_it():
    out = StringIO()
    call_command("evaluate_clusters", json=True, stdout=out)
    rows = {row["set"]: row for row in map(json.loads, out.getvalue().splitlines())}
    assert rows["labelled_events.jsonl, tuning"]["f1"] >= 0.94
    assert rows["labelled_events.jsonl, held out"]["f1"] >= 0.93


def test_other_peoples_sets_are_read_whatever_their_columns_are_called(tmp_path):
    rows = [
        {"headline": QUAKE[0], "body": QUAKE[1], "date": "2026-05-12", "story_id": 7},
        {"title": QUAKE_ELSEWHERE[0], "content": QUAKE_ELSEWHERE[1], "timestamp": 1778580000,
         "cluster": 7, "url": "https://coast.example/quake"},
        {"title": OTHER_QUAKE[0], "description": OTHER_QUAKE[1], "label": 8},
    ]  # fmt: skip
    as_list, as_lines, nested = (tmp_path / name for name in ("a.json", "b.jsonl", "c.json"))
    as_list.write_text(json.dumps(rows))
    as_lines.write_text("\n".join(map(json.dumps, rows)))
    nested.write_text(json.dumps({"about": "quakes", "articles": rows}))
    read = [labelled.read(path.read_bytes()) for path in (as_list, as_lines, nested)]
    assert read[0] == read[1] == read[2]
    assert [each.event for each in read[0]] == ["7", "7", "8"]
    assert read[0][1].source == "coast.example"
    out = StringIO()
    call_command("evaluate_clusters", str(as_list), str(nested), stdout=out)
    assert out.getvalue().count("1.0000") == 6


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "no items"),
        (b'{"title": "a", "event": 1}\nnonsense', "Line 2 is not JSON"),
        (b'[{"title": "a"}]', "Item 1 has no event"),
        (b'[{"event": "a", "date": "2026-05-12"}]', "neither title nor text"),
        (b"[1, 2]", "not an object"),
    ],
)
def test_a_file_that_is_no_labelled_set_is_refused_with_its_place(data, problem, tmp_path):
    with pytest.raises(NotLabelled, match=problem):
        labelled.read(data)
    (tmp_path / "set.json").write_bytes(data)
    with pytest.raises(CommandError, match=problem):
        call_command("evaluate_clusters", str(tmp_path / "set.json"))


def _ours() -> bytes:
    from articles.management.commands.evaluate_clusters import OURS

    return OURS.read_bytes()
