"""Look at an address as “Add source” does: what it is, and what it would bring."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sources import connectors
from sources import detect as detecting
from sources import preview as previewing
from sources.connectors.base import Connector
from sources.detect import Candidate, Detected
from sources.errors import SourceError
from sources.models import Source
from sources.preview import Preview


class Command(BaseCommand):
    help = "Show what a source would bring, before it is added. Nothing is stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The address, and what to know about it better than detection does."""
        parser.add_argument("url", help="a page, a feed, a JSON address, @name@server, r/name")
        parser.add_argument("--connector", help="read it with this one instead of detecting")
        parser.add_argument(
            "--option", action="append", default=[], metavar="NAME=VALUE",
            help="an option of the connector; may be repeated",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Detect, look at the best candidate, print."""
        given = dict(self._pair(each) for each in options["option"])
        try:
            found = self._found(options["url"], options["connector"] or "", given)
            best = found.candidates[0]
            look = previewing.preview(_source(best), ask_robots=True)
        except SourceError as problem:
            raise CommandError(str(problem)) from problem
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(found, look), default=str, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(_lines(found, look)))

    def _found(self, url: str, key: str, given: dict[str, str]) -> Detected:
        if not key:
            found = detecting.detect(url)
            if not given:
                return found
            best = found.candidates[0]
            chosen = Candidate(
                best.connector, best.endpoint, best.why, {**best.options, **given}, best.name
            )
            return Detected((chosen,), found.notes)
        if key not in connectors.table():
            known = ", ".join(connectors.table())
            raise CommandError(f"There is no connector “{key}”; there are: {known}.")
        endpoint = detecting.address_of(url)[0]
        return Detected((Candidate(key, endpoint, "As you said", given),))

    def _pair(self, text: str) -> tuple[str, str]:
        name, equals, value = text.partition("=")
        if not equals:
            raise CommandError(f"--option {text}: write it as NAME=VALUE.")
        return name.strip(), value


def _source(candidate: Candidate) -> Source:
    adapter: Connector = connectors.connector(candidate.connector)
    flags = {option.name for option in adapter.options if option.kind == "flag"}
    options = {
        name: value in (True, "true", "yes", "on", "1") if name in flags else value
        for name, value in candidate.options.items()
    }
    return Source(
        connector=candidate.connector, api_endpoint=candidate.endpoint, options=options,
        rate_limit_per_minute=60,
    )  # fmt: skip


def _lines(found: Detected, look: Preview) -> list[str]:
    best, *others = found.candidates
    lines = [
        f"{best.why}: {best.endpoint}",
        f"  connector   {best.connector}",
        *(f"  option      {name}={value}" for name, value in best.options.items()),
        f"  {look}",
        f"  from others {look.elsewhere} more are here from other sources",
        f"  volume      {look.volume}",
        f"  suggested   every {look.minutes} minutes: {look.minutes_why}",
        f"  pushed      {'its hub tells of news at once' if look.pushed else 'no'}",
        f"  robots.txt  {look.robots}",
    ]
    for sample in look.first:
        date = f"{sample.published_at:%Y-%m-%d %H:%M}" if sample.published_at else "no date"
        marks = " · known" if sample.known else " · from another source" if sample.elsewhere else ""
        by = f" · {sample.author}" if sample.author else ""
        lines += ["", f"  {sample.title}", f"    {date}{by}{marks}", f"    {sample.url}"]
        lines += [f"    {sample.words}"] if sample.words else []
    warnings = [*found.notes, *([best.note] if best.note else []), *look.warnings]
    lines += ["", *(f"! {warning}" for warning in warnings)] if warnings else []
    lines += ["", "Also:"] if others else []
    lines += [f"  {each.why}: {each.endpoint}" for each in others]
    return lines


def _as_json(found: Detected, look: Preview) -> dict[str, Any]:
    return {
        "candidates": [
            {**asdict(each), "options": dict(each.options)} for each in found.candidates
        ],
        "notes": found.notes,
        "preview": {**asdict(look), "volume": look.volume},
    }
