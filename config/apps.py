from django.apps import AppConfig


class NewsdeskConfig(AppConfig):
    """The house itself: wiring, engines, outbound HTTP, the console's frame."""

    name = "config"
    verbose_name = "Newsdesk"

    def ready(self) -> None:
        # Binds @shared_task to our Celery app wherever Django runs. `config/__init__.py` stays
        # empty instead, so that adapters can import `config.outbound` without Celery or Django.
        from config import celery  # noqa: F401 (imported for its effect)
