from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate


class PublishingConfig(AppConfig):
    """Where stories go: channels, the publishing queue, platforms."""

    name = "publishing"
    verbose_name = "Publishing"

    def ready(self) -> None:
        from publishing.checks import check_table
        from publishing.defaults import load_tick

        checks.register(check_table)
        post_migrate.connect(load_tick, sender=self, dispatch_uid="publishing.load_tick")
