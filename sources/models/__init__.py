"""What the desk knows of its sources. A module for each thing; everybody imports from here."""

from sources.models.backfill import Backfill
from sources.models.burst import Burst
from sources.models.list_import import ImportLine, ListImport
from sources.models.page import PageFetch
from sources.models.payload import ArchivedAnswer
from sources.models.source import Source, SyncRun
from sources.models.subscription import PushedAnswer, Subscription

__all__ = [
    "ArchivedAnswer", "Backfill", "Burst", "ImportLine", "ListImport", "PageFetch",
    "PushedAnswer", "Source", "Subscription", "SyncRun",
]  # fmt: skip
