from django.apps import AppConfig


class PublishingConfig(AppConfig):
    """Where stories go: channels, the publishing queue, platforms."""

    name = "publishing"
    verbose_name = "Publishing"
