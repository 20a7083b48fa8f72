"""Re-encrypt every stored credential under the newest key."""

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction

from config.sealed import Sealed, SealedJSONField, TamperedSecret


class Command(BaseCommand):
    """Put the new key first in FIELD_ENCRYPTION_KEYS, restart, run this, then drop the old key."""

    help = (
        "Re-encrypts every stored credential under the first of FIELD_ENCRYPTION_KEYS. "
        "Can be stopped and started again: what is done already is skipped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """``--batch``: how many rows are locked at a time."""
        parser.add_argument("--batch", type=int, default=200, help="rows per transaction")

    def handle(self, *_args: Any, batch: int, **_options: Any) -> None:
        """Raises ``CommandError`` at the end if any row could not be read."""
        if batch < 1:
            raise CommandError("--batch must be at least 1.")
        unreadable = 0
        for model, field in _sealed_fields():
            counted = self._rotate(model, field, batch)
            unreadable += counted["unreadable"]
            self.stdout.write(
                f"{model._meta.label}.{field.name}: {counted['rotated']} re-encrypted, "
                f"{counted['newest']} under the newest key already, "
                f"{counted['unreadable']} unreadable"
            )
        if unreadable:
            raise CommandError(
                f"{unreadable} could not be read: keep every old key, and enter those credentials "
                "again."
            )

    def _rotate(
        self, model: type[models.Model], field: SealedJSONField, batch: int
    ) -> Counter[str]:
        counted: Counter[str] = Counter()
        rows = model._base_manager.order_by("pk")
        last: Any = None
        while True:
            with transaction.atomic():
                waiting = rows if last is None else rows.filter(pk__gt=last)
                locked = list(waiting.select_for_update().values_list("pk", field.name)[:batch])
                for pk, sealed in locked:
                    if sealed:
                        outcome = _rotate_row(rows.filter(pk=pk), field, sealed)
                        counted[outcome] += 1
                        if outcome == "unreadable":
                            self.stderr.write(f"{model._meta.label} {pk}: can't be read")
            if len(locked) < batch:
                return counted
            last = locked[-1][0]


def _sealed_fields() -> list[tuple[type[models.Model], SealedJSONField]]:
    return [
        (model, field)
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
        for field in model._meta.local_fields
        if isinstance(field, SealedJSONField)
    ]


def _rotate_row(
    row: "models.QuerySet[models.Model]", field: SealedJSONField, sealed: Sealed
) -> str:
    try:
        new = sealed.resealed()
    except TamperedSecret:
        return "unreadable"
    if new is None:
        return "newest"
    row.update(**{field.name: new})
    return "rotated"
