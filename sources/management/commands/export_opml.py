"""Write all sources as OPML: `manage.py export_opml > sources.opml`."""

from typing import Any

from django.core.management.base import BaseCommand

from sources import lists
from sources.models import Source


class Command(BaseCommand):
    """What the console's “Export OPML” gives."""

    help = "Write all sources as OPML 2.0 to standard output, a folder for each section."

    def handle(self, *args: Any, **options: Any) -> None:
        """The document."""
        self.stdout.write(lists.export(list(Source.objects.order_by("section", "name"))).decode())
