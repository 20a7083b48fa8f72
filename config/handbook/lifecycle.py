"""docs/lifecycle.md: states, acts and who may do them."""

from articles.lifecycle import STATES, TRANSITIONS, Kind, Right
from articles.rights import GROUPS

_HEAD = """# Lifecycle of wire items and stories

This page is written by `manage.py write_docs` from `articles/lifecycle.py` and
`articles/rights.py`, the same tables that draw the console's buttons and answer the API.

Every act checks the person's right, the article's state and the version the person had before
them, and writes an event, all in one transaction. Scheduling is not a state of a story: it is
kept per channel in the publishing queue.
"""


def page() -> str:
    """The states, the acts and who may do them, as Markdown."""
    parts = [_HEAD]
    for kind, title in ((Kind.WIRE, "Wire item"), (Kind.STORY, "Story")):
        parts.append(f"## {title}\n")
        parts.append("States: " + ", ".join(f"`{state}`" for state in STATES[kind]) + ".\n")
        parts.append("| Act | From | To | Who | Asks for |\n| --- | --- | --- | --- | --- |")
        for step in TRANSITIONS:
            if step.kind != kind:
                continue
            sources = ", ".join(f"`{state}`" for state in STATES[kind] if state in step.sources)
            asks = [
                word
                for word, wanted in (
                    ("a reason", step.needs_reason),
                    ("title and text", step.needs_text),
                )
                if wanted
            ]
            parts.append(
                f"| {step.label} (`{step.act}`) | {sources} | `{step.target}` "
                f"| {_lowest(step.right)} | {', '.join(asks) or '–'} |"
            )
        parts.append("")
    parts.append("## Rights\n")
    parts.append("| Right | " + " | ".join(GROUPS) + " |\n" + "| --- |" * (len(GROUPS) + 1))
    for right in Right:
        marks = " | ".join("✓" if right in rights else "" for rights in GROUPS.values())
        parts.append(f"| `{right}` | {marks} |")
    return "\n".join(parts) + "\n"


def _lowest(right: Right | None) -> str:
    """The first group of the ladder that holds a right, with the ones above it implied."""
    if right is None:
        return "the desk itself"
    return next(name for name, rights in GROUPS.items() if right in rights) + " and up"
