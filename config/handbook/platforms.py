"""docs/platforms.md: what each platform can do, and how it is once-only."""

from collections.abc import Mapping

from config.handbook.tables import anchor, cell, fields
from publishing import abilities, platforms
from publishing.abilities import Ability
from publishing.platforms.base import Platform, able
from publishing.post import Once

_HEAD = """# Platforms

This page is written by `manage.py write_docs` from `publishing/platforms/`. Each platform is one
module there; [adding-a-platform.md](adding-a-platform.md) shows how another one is written. Options
and credentials are what **Add channel** asks for; credentials are stored encrypted and never shown
again. The [publishing queue](queue.md) does the rest.
"""

_ONCE = """## Once only

An answer can get lost after the work was done. What the queue does then:

| | |
| --- | --- |
"""

_KINDS = {
    Once.KEY: (
        "key",
        "A repetition is known by an id of ours, on the platform or in a row of the desk, and "
        "makes no second post; the queue sends again.",
    ),
    Once.TWO_PHASE: (
        "two-phase",
        "An invisible draft first, whose number is kept, then a flip to public that can be "
        "repeated; the queue goes on with the same draft.",
    ),
    Once.LOOK_UP: (
        "look-up",
        "The queue searches for our marker twice, and sends again when it is not there.",
    ),
    Once.NONE: ("none", "Nobody but a person can tell: the row says *in doubt* and asks."),
}

_TRIED = """## Tried against

Newsdesk is built without a way to the internet. What `make test-servers` can start here is true
software, behind a proxy that loses answers, hangs, cuts and refuses, with workers killed at every
point. The others are tested over HTTP on the documented shapes of their answers, and say so.
"""

_SIGNING_IN = {Ability.CONNECTS: "a visit", Ability.RENEWS: "renewed ahead"}


def page() -> str:
    """The matrix, what its words mean, and a section for each platform, as Markdown."""
    own = {key: platforms.platform(key) for key in platforms.TABLE}
    parts = [_HEAD, _matrix(own), _ONCE + "\n".join(_once(kind) for kind in Once) + "\n", _TRIED]
    for key, each in own.items():
        parts += [f"## {each.label}\n", f"Key: `{key}`. {each.help}".strip() + "\n"]
        parts += [
            f"- **{said.about}.** {said.words}"
            for said in abilities.in_words(each.capabilities, able(each))
        ]
        parts.append("")
        parts += fields([*each.options, *each.credentials])
    return "\n".join(parts)


def _matrix(own: Mapping[str, Platform]) -> str:
    heads = (
        "Platform", "Once only", "Form", "At most", "Pictures", "Correction", "Withdrawal",
        "Counts", "Read back", "Signing in", "Tried against",
    )  # fmt: skip
    rows = [f"| {' | '.join(heads)} |", "| --- " * len(heads) + "|"]
    rows += [f"| {' | '.join(map(cell, _row(each)))} |" for each in own.values()]
    return "\n".join(rows) + "\n"


def _row(platform: Platform) -> list[str]:
    told, can = platform.capabilities, able(platform)
    ruler = told.ruler
    return [
        f"[{platform.label}](#{anchor(platform.label)})",
        _KINDS[told.once][0],
        told.form,
        f"{ruler.limit:,} {ruler.unit.value}" if ruler else "–",
        _pictures(platform),
        _first(can, {Ability.EDITS: "edited", Ability.REPLIES: "answered"}),
        _first(
            can,
            {
                Ability.DELETES: "asked for" if told.withdrawal else "deleted",
                Ability.EDITS: "emptied",
                Ability.REPLIES: "answered",
            },
        ),
        "✓" if Ability.COUNTING in can else "–",
        "✓" if Ability.WATCHES in can else "–",
        ", ".join(word for ability, word in _SIGNING_IN.items() if ability in can) or "entered",
        told.tried_against or "not tried against the real service",
    ]


def _pictures(platform: Platform) -> str:
    told = platform.capabilities
    if not told.pictures:
        return "in the text" if told.form.startswith("whole") else "–"
    return f"{told.pictures}, described" if told.alt_text else str(told.pictures)


def _first(can: list[Ability], words: Mapping[Ability, str]) -> str:
    return next((word for ability, word in words.items() if ability in can), "by hand")


def _once(kind: Once) -> str:
    name, words = _KINDS[kind]
    return f"| **{name}** | {words} |"
