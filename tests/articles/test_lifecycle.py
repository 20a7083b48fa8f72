from itertools import pairwise

from articles.lifecycle import STATES, TRANSITIONS, Kind, Right, State, open_to, transition
from articles.rights import GROUPS

EVERY_RIGHT = frozenset(Right)


def test_every_transition_stays_within_the_states_of_its_kind():
    for step in TRANSITIONS:
        assert step.sources | {step.target} <= set(STATES[step.kind]), step.act


def test_every_state_of_a_story_but_killed_has_a_way_out():
    dead_ends = [
        state
        for state in STATES[Kind.STORY]
        if not any(state in step.sources for step in TRANSITIONS if step.kind == Kind.STORY)
    ]
    assert dead_ends == [State.KILLED]


def test_a_draft_offers_its_writer_only_to_submit():
    rights = GROUPS["Writer"]
    assert [step.act for step in open_to(Kind.STORY, State.DRAFT, rights)] == ["submit"]


def test_an_editor_may_return_but_not_approve():
    acts = {step.act for step in open_to(Kind.STORY, State.IN_REVIEW, GROUPS["Editor"])}
    assert acts == {"return", "spike"}


def test_a_publisher_may_approve():
    acts = {step.act for step in open_to(Kind.STORY, State.IN_REVIEW, GROUPS["Publisher"])}
    assert "approve" in acts


def test_what_only_the_desk_does_is_offered_to_nobody():
    for kind, states in STATES.items():
        for state in states:
            offered = {step.act for step in open_to(kind, state, EVERY_RIGHT)}
            assert not offered & {"go_live", "expire"}


def test_acts_of_one_name_differ_by_kind():
    assert transition(Kind.WIRE, "unspike").target == State.NEW
    assert transition(Kind.STORY, "unspike").target == State.DRAFT


def test_each_group_holds_all_that_the_one_before_it_holds():
    ladder = [set(GROUPS[name]) for name in ("Viewer", "Writer", "Editor", "Publisher", "Admin")]
    for lower, higher in pairwise(ladder):
        assert lower < higher
