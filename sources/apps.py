from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate


class SourcesConfig(AppConfig):
    """Where copy comes from: connectors, syncs, health."""

    name = "sources"
    verbose_name = "Sources"

    def ready(self) -> None:
        from sources.checks import check_table
        from sources.defaults import load_ticks

        checks.register(check_table)
        post_migrate.connect(load_ticks, sender=self, dispatch_uid="sources.load_ticks")
