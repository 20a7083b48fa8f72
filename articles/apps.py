from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ArticlesConfig(AppConfig):
    """The hub: wire items, stories, their states, revisions and record."""

    name = "articles"
    verbose_name = "Desk"

    def ready(self) -> None:
        from articles.defaults import load_schedule
        from articles.rights import load_groups

        # Permissions exist only after post_migrate, so groups can't be loaded any earlier.
        post_migrate.connect(load_groups, dispatch_uid="articles.load_groups")
        post_migrate.connect(load_schedule, sender=self, dispatch_uid="articles.load_schedule")
