"""The last syncs, on a source's page."""

from django.utils.safestring import SafeString

from config.admin_base import DeskTabularInline, age, display
from sources.models import SyncRun


class RunInline(DeskTabularInline):
    """The last syncs."""

    model = SyncRun
    verbose_name_plural = "last syncs"
    fields = ("began", "cause", "result", "brought", "http_status", "took", "trouble")
    readonly_fields = fields
    per_page = 10

    @display(description="When")
    def began(self, run: SyncRun) -> SafeString:
        """How long ago."""
        return age(run.started_at)

    @display(description="Outcome")
    def result(self, run: SyncRun) -> str:
        """How it went."""
        return run.get_outcome_display()

    @display(description="Brought")
    def brought(self, run: SyncRun) -> str:
        """What came of it."""
        return f"{run.new} new, {run.updated} changed, {run.same} known"

    @display(description="Took")
    def took(self, run: SyncRun) -> str:
        """The source's time."""
        return f"{run.ms} ms"

    @display(description="Trouble")
    def trouble(self, run: SyncRun) -> str:
        """The error, or what was odd."""
        return run.error or " ".join(run.warnings) or "–"
