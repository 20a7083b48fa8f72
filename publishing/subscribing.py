"""Who is on a channel's list: coming in as a list, agreeing, leaving."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from articles.errors import Incomplete
from publishing.models import Channel, Subscriber

MOST_LINES = 50_000
MOST_BYTES = 5_000_000
_SHOWN = 20  # of the lines that are no addresses
_HEADINGS = ("email", "e-mail", "e_mail", "mail", "address", "email address")


@dataclass(slots=True)
class Imported:
    """What a list brought."""

    added: int = 0
    known: int = 0  # on the list already, and left as they are
    left: int = 0  # have unsubscribed, and stay so
    bad: list[str] = field(default_factory=list)  # the first lines that hold no address
    bad_in_all: int = 0

    @property
    def sentence(self) -> str:
        """All of it, for a person."""
        words = [f"{self.added} added"]
        if self.known:
            words.append(f"{self.known} were here already")
        if self.left:
            words.append(f"{self.left} have unsubscribed and stay so")
        if self.bad_in_all:
            many = "1 line holds" if self.bad_in_all == 1 else f"{self.bad_in_all} lines hold"
            words.append(f"{many} no address: {'; '.join(self.bad)}")
        return ", ".join(words) + "."


def import_list(channel: Channel, text: str, *, agreed: bool, note: str = "") -> Imported:
    """Take addresses in, a line each or a CSV file's column; safe to repeat.

    `agreed`: they have said that they want the letters. Else they wait to be confirmed. Raises
    `Incomplete` for a list that is too long.
    """
    if len(text) > MOST_BYTES:
        raise Incomplete({"text": "The list is larger than 5 MB; bring it in in pieces."})
    told = Imported()
    wanted: dict[str, None] = {}
    for number, given in _lines(text):
        if len(wanted) >= MOST_LINES:
            raise Incomplete({"text": f"More than {MOST_LINES:,} addresses; bring them in pieces."})
        try:
            wanted[normalised(given)] = None
        except ValidationError:
            told.bad_in_all += 1
            if len(told.bad) < _SHOWN:
                told.bad.append(f"line {number} ({given[:40]!a})")
    with transaction.atomic():
        there = dict(
            Subscriber.objects.filter(channel=channel, address__in=wanted)
            .values_list("address", "unsubscribed_at")
        )  # fmt: skip
        told.left = sum(1 for moment in there.values() if moment is not None)
        told.known = len(there) - told.left
        new = [
            Subscriber(
                channel=channel, address=address, note=note[:200],
                confirmed_at=timezone.now() if agreed else None,
            )
            for address in wanted
            if address not in there
        ]  # fmt: skip
        made = Subscriber.objects.bulk_create(new, batch_size=1000, ignore_conflicts=True)
        told.added = len(made)
    return told


def normalised(address: str) -> str:
    """An address as it is kept: no spaces, lower case, its domain in ASCII (IDNA).

    Raises `ValidationError` if it is none. That "A@x.org" and "a@x.org" were two people has not
    been seen; that a person is on a list twice has.
    """
    local, at, domain = address.strip().strip("<>").lower().rpartition("@")
    try:
        found = f"{local}{at}{domain.encode('idna').decode()}"
    except UnicodeError as problem:
        raise ValidationError("There is no such domain.") from problem
    validate_email(found)
    if len(found) > 254:
        raise ValidationError("The address is longer than 254 characters.")
    return found


def confirm(subscriber_id: int) -> None:
    """They have agreed; what their mailbox refused before is forgotten."""
    Subscriber.objects.filter(pk=subscriber_id, unsubscribed_at=None).update(
        confirmed_at=timezone.now(), refusals=0, refused_with=""
    )


def known(token: str) -> Subscriber | None:
    """Whose token it is."""
    return Subscriber.objects.select_related("channel").filter(token=token).first()


def unsubscribe(subscriber: Subscriber) -> None:
    """End it; again is the same."""
    Subscriber.objects.filter(pk=subscriber.pk, unsubscribed_at=None).update(
        unsubscribed_at=timezone.now()
    )


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The addresses of a list, or of a CSV file's column of that name, else of its first one."""
    text = text.removeprefix("\ufeff").replace("\x00", "")
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    rows = csv.reader(StringIO(text), delimiter=delimiter)
    column = 0
    try:
        for number, row in enumerate(rows, 1):
            heads = [cell.strip().lower() for cell in row]
            if number == 1 and any(head in _HEADINGS for head in heads):
                column = next(i for i, head in enumerate(heads) if head in _HEADINGS)
            elif len(row) > column and row[column].strip():
                yield number, row[column]
    except csv.Error as problem:
        raise Incomplete({"text": f"The list can't be read: {problem}."}) from problem
