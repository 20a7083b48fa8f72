from django.apps import AppConfig


class SourcesConfig(AppConfig):
    """Where copy comes from: connectors, syncs, health."""

    name = "sources"
    verbose_name = "Sources"
