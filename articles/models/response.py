"""How the public took a story: what all its posts drew, and whether that is much."""

from django.db import models
from django.utils import timezone


class StoryResponse(models.Model):
    """The sum over a story's posts; `publishing` writes it, by `articles.response.keep`."""

    story = models.OneToOneField(
        "Article", primary_key=True, on_delete=models.CASCADE, related_name="response"
    )
    views = models.PositiveBigIntegerField(null=True, blank=True)
    reactions = models.PositiveBigIntegerField(null=True, blank=True)
    replies = models.PositiveBigIntegerField(null=True, blank=True)
    shares = models.PositiveBigIntegerField(null=True, blank=True)
    times = models.FloatField(
        null=True, blank=True,
        help_text="Of what is usual on its channels at that age: 1 is usual, 2 twice as much. "
        "Empty: too little is known.",
    )  # fmt: skip
    read_at = models.DateTimeField(
        default=timezone.now, help_text="When a platform was last asked."
    )

    class Meta:
        db_table = "story_responses"

    def __str__(self) -> str:
        return f"{self.story}: {self.times or '–'}"
