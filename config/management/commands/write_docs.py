"""Writes the pages of docs/ that follow from data in the code."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config.handbook import pages


class Command(BaseCommand):
    help = "Write the pages of docs/ that are drawn from tables in the code."

    def handle(self, *_: Any, **__: Any) -> None:
        for name, text in pages().items():
            (Path(settings.BASE_DIR) / "docs" / name).write_text(text, encoding="utf-8")
            self.stdout.write(f"docs/{name}")
