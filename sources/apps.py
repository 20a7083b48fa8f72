from django.apps import AppConfig
from django.core import checks


class SourcesConfig(AppConfig):
    """Where copy comes from: connectors, syncs, health."""

    name = "sources"
    verbose_name = "Sources"

    def ready(self) -> None:
        from sources.checks import check_table

        checks.register(check_table)
