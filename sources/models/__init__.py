"""What the desk knows of its sources. A module for each thing; everybody imports from here."""

from sources.models.payload import ArchivedAnswer
from sources.models.source import Source, SyncRun

__all__ = ["ArchivedAnswer", "Source", "SyncRun"]
