"""Writes the pages of docs/ that follow from data in the code."""

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from articles.lifecycle import STATES, TRANSITIONS, Kind, Right
from articles.rights import GROUPS
from sources import connectors
from sources.connectors.base import Connector, Option, ReachesBack, Recognises

_HEAD = """# Lifecycle of wire items and stories

This page is written by `manage.py write_docs` from `articles/lifecycle.py` and
`articles/rights.py`, the same tables that draw the console's buttons and answer the API.

Every act checks the person's right, the article's state and the version the person had before
them, and writes an event, all in one transaction. Scheduling is not a state of a story: it is
kept per channel in the publishing queue.
"""


_SOURCES = """# Kinds of sources

This page is written by `manage.py write_docs` from `sources/connectors/`. Each kind is one module
there; [adding-a-source.md](adding-a-source.md) shows how another one is written. Options and
credentials are what **Add source** asks for; credentials are stored encrypted and never shown
again.

Newsdesk is built without a way to the internet: none of these kinds has been tried against the
real service. Each is tested over HTTP on the documented shapes of its answers.
"""


class Command(BaseCommand):
    help = "Write the pages of docs/ that are drawn from tables in the code."

    def handle(self, *_: Any, **__: Any) -> None:
        for name, text in pages().items():
            (Path(settings.BASE_DIR) / "docs" / name).write_text(text, encoding="utf-8")
            self.stdout.write(f"docs/{name}")


def pages() -> dict[str, str]:
    """Each generated page: file name in docs/ to its text."""
    return {"lifecycle.md": lifecycle(), "sources.md": kinds_of_sources()}


def lifecycle() -> str:
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


def kinds_of_sources() -> str:
    """What each connector reads, what it needs and what its service asks for, as Markdown."""
    own = {key: connectors.connector(key) for key in connectors.TABLE}
    parts = [
        _SOURCES,
        "| Source | Key | Login | Older pieces | Pasted addresses |\n"
        + "| --- | --- | --- | --- | --- |",
    ]
    for key, each in own.items():
        abilities = (isinstance(each, ReachesBack), isinstance(each, Recognises))
        cells = " | ".join([_login(each), *("✓" if able else "" for able in abilities)])
        parts.append(f"| [{each.label}](#{_anchor(each.label)}) | `{key}` | {cells} |")
    parts.append("")
    for each in own.values():
        parts += [f"## {each.label}\n", f"{each.help}\n", _habits(each)]
        fields = [*each.options, *each.credentials]
        if fields:
            parts.append("| Field | Default | |\n| --- | --- | --- |")
            parts += [_field(option) for option in fields]
            parts.append("")
    return "\n".join(parts)


def _login(connector: Connector) -> str:
    if any(option.required for option in connector.credentials):
        return "needed"
    return "possible" if connector.credentials else ""


def _habits(connector: Connector) -> str:
    """How often it asks, in sentences."""
    said = [
        f"Address: `{connector.endpoint}`." if connector.endpoint else "Address: yours to enter."
    ]
    said.append(f"Every {connector.minutes} minutes to begin with.")
    if connector.seconds_between:
        said.append(f"At least {connector.seconds_between:g} seconds between two requests.")
    if connector.one_at_a_time:
        said.append("One request at a time.")
    return " ".join(said) + "\n"


def _field(option: Option) -> str:
    words = [f"{option.help.rstrip('.')}."] if option.help else []
    words += [f"`{key}`: {label}." for key, label in option.choices]
    secret = " (secret)" if option.kind == "secret" else ""
    default = f"`{option.default}`" if option.default not in ("", None, False) else ""
    return f"| {option.label}{secret} | {default} | {' '.join(words).replace('|', '&#124;')} |"


def _anchor(title: str) -> str:
    """As GitHub makes one of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _lowest(right: Right | None) -> str:
    """The first group of the ladder that holds a right, with the ones above it implied."""
    if right is None:
        return "the desk itself"
    return next(name for name, rights in GROUPS.items() if right in rights) + " and up"
