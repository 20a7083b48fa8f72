"""States of wire items and stories, and every way from one to another, as one table of data.

The admin's buttons, the API's answers and docs/lifecycle.md all come from `TRANSITIONS`.
Pure: no clock, no network, no database.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    WIRE = "wire"  # an incoming piece as received
    STORY = "story"  # our written piece


class State(StrEnum):
    # a wire item's
    NEW = "new"
    SHORTLISTED = "shortlisted"
    PICKED_UP = "picked_up"
    EXPIRED = "expired"
    # a story's
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    LIVE = "live"
    KILLED = "killed"
    # both
    SPIKED = "spiked"


class Right(StrEnum):
    """What a person may do, as Django permission names (see `articles.rights` for who may)."""

    COMMENT = "articles.comment"
    WRITE = "articles.write"  # write, edit own, submit
    ASK_AI = "articles.ask_ai"
    TRIAGE = "articles.triage"
    EDIT_ALL = "articles.edit_all"
    SPIKE = "articles.spike"
    RETURN = "articles.return"
    APPROVE = "articles.approve"
    QUEUE = "articles.queue"  # queue, cancel, retry
    CORRECT = "articles.correct"
    KILL = "articles.kill"
    OVERRIDE = "articles.override"  # embargo or checklist, with a reason


STATES: dict[Kind, tuple[State, ...]] = {
    Kind.WIRE: (State.NEW, State.SHORTLISTED, State.PICKED_UP, State.SPIKED, State.EXPIRED),
    Kind.STORY: (
        State.DRAFT,
        State.IN_REVIEW,
        State.APPROVED,
        State.LIVE,
        State.SPIKED,
        State.KILLED,
    ),
}
EDITABLE = frozenset({State.DRAFT, State.IN_REVIEW, State.APPROVED})
"""States in which a story's text may change; a live one is corrected instead."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One act that moves an article from one of `sources` to `target`."""

    act: str  # the verb, as in the API and in events
    kind: Kind
    sources: frozenset[State]
    target: State
    right: Right | None  # None: only the desk itself does this, never a person
    label: str  # the button's words
    icon: str  # Material symbol's name
    needs_reason: bool = False
    needs_text: bool = False  # refuses an empty title or body
    done: str = ""  # what the person reads afterwards


def _wire(
    act: str,
    sources: tuple[State, ...],
    target: State,
    right: Right | None,
    label: str,
    icon: str,
    done: str,
) -> Transition:
    return Transition(act, Kind.WIRE, frozenset(sources), target, right, label, icon, done=done)


def _story(
    act: str,
    sources: tuple[State, ...],
    target: State,
    right: Right | None,
    label: str,
    icon: str,
    done: str,
    *,
    needs_reason: bool = False,
    needs_text: bool = False,
) -> Transition:
    return Transition(
        act,
        Kind.STORY,
        frozenset(sources),
        target,
        right,
        label,
        icon,
        needs_reason,
        needs_text,
        done,
    )


S = State
TRANSITIONS: tuple[Transition, ...] = (
    _wire("shortlist", (S.NEW,), S.SHORTLISTED, Right.TRIAGE, "Shortlist", "star", "Shortlisted."),
    _wire("unshortlist", (S.SHORTLISTED,), S.NEW, Right.TRIAGE, "Back to new", "undo",
          "Back among the new items."),
    _wire("pick_up", (S.NEW, S.SHORTLISTED, S.PICKED_UP), S.PICKED_UP, Right.TRIAGE,
          "Pick up", "edit_document", "Picked up: a story was started."),
    _wire("spike", (S.NEW, S.SHORTLISTED), S.SPIKED, Right.TRIAGE, "Spike", "block", "Spiked."),
    _wire("unspike", (S.SPIKED,), S.NEW, Right.TRIAGE, "Unspike", "restore", "Back on the wire."),
    _wire("expire", (S.NEW, S.SHORTLISTED), S.EXPIRED, None, "Expire", "timer_off", "Expired."),
    _story("submit", (S.DRAFT,), S.IN_REVIEW, Right.WRITE, "Submit for review", "send",
           "Submitted for review.", needs_text=True),
    _story("return", (S.IN_REVIEW, S.APPROVED), S.DRAFT, Right.RETURN, "Return with a note",
           "reply", "Returned to the writer.", needs_reason=True),
    _story("approve", (S.IN_REVIEW,), S.APPROVED, Right.APPROVE, "Approve", "check_circle",
           "Approved.", needs_text=True),
    _story("spike", (S.DRAFT, S.IN_REVIEW), S.SPIKED, Right.SPIKE, "Spike", "block", "Spiked."),
    _story("unspike", (S.SPIKED,), S.DRAFT, Right.SPIKE, "Unspike", "restore",
           "Back among the drafts."),
    _story("go_live", (S.APPROVED, S.LIVE), S.LIVE, None, "Go live", "public", "Live."),
    _story("correct", (S.LIVE,), S.DRAFT, Right.CORRECT, "Correct", "published_with_changes",
           "The next version is open; the published one stays up until you publish again.",
           needs_reason=True),
    _story("kill", (S.LIVE,), S.KILLED, Right.KILL, "Kill", "cancel", "Killed.",
           needs_reason=True),
)  # fmt: skip
_BY_ACT = {(transition.kind, transition.act): transition for transition in TRANSITIONS}


def transition(kind: Kind | str, act: str) -> Transition:
    """The transition that `act` names for a `kind`; `KeyError` when there is none."""
    return _BY_ACT[Kind(kind), act]


def open_to(kind: Kind | str, state: State | str, rights: Collection[str]) -> list[Transition]:
    """The acts that a person holding `rights` may do now, in the table's order."""
    return [
        each
        for each in TRANSITIONS
        if each.kind == kind and state in each.sources and each.right and each.right in rights
    ]
