from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate


class AiConfig(AppConfig):
    """Assistance: suggestions that people accept or reject."""

    name = "ai"
    verbose_name = "AI"

    def ready(self) -> None:
        from ai.defaults import load_prompts, load_tick
        from ai.providers import check_table

        checks.register(check_table)
        post_migrate.connect(load_prompts, sender=self, dispatch_uid="ai.load_prompts")
        post_migrate.connect(load_tick, sender=self, dispatch_uid="ai.load_tick")
