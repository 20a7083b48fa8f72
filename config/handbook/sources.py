"""docs/sources.md: what each connector reads, and what its service asks for."""

from config.handbook.tables import anchor, fields
from sources import connectors
from sources.connectors.base import Connector, ReachesBack, Recognises

_HEAD = """# Kinds of sources

This page is written by `manage.py write_docs` from `sources/connectors/`. Each kind is one module
there; [adding-a-source.md](adding-a-source.md) shows how another one is written. Options and
credentials are what **Add source** asks for; credentials are stored encrypted and never shown
again.

Newsdesk is built without a way to the internet: none of these kinds has been tried against the
real service. Each is tested over HTTP on the documented shapes of its answers.
"""


def page() -> str:
    """What each connector reads, what it needs and what its service asks for, as Markdown."""
    own = {key: connectors.connector(key) for key in connectors.TABLE}
    parts = [
        _HEAD,
        "| Source | Key | Login | Older pieces | Pasted addresses |\n"
        + "| --- | --- | --- | --- | --- |",
    ]
    for key, each in own.items():
        abilities = (isinstance(each, ReachesBack), isinstance(each, Recognises))
        cells = " | ".join([_login(each), *("✓" if able else "" for able in abilities)])
        parts.append(f"| [{each.label}](#{anchor(each.label)}) | `{key}` | {cells} |")
    parts.append("")
    for each in own.values():
        parts += [f"## {each.label}\n", f"{each.help}\n", _habits(each)]
        parts += fields([*each.options, *each.credentials])
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
