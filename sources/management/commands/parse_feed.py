"""`sources.feedparsing` on the command line; manage.py itself takes a shorter way to it."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from sources.feedparsing import __main__ as command


class Command(BaseCommand):
    help = command.HELP
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        command.add_arguments(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        failed = False
        for line, is_feed in command.lines(
            options["files"], options["url"], options["content_type"]
        ):
            failed = failed or not is_feed
            self.stdout.write(line)
        if failed:
            sys.exit(1)
