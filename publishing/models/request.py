"""Requests of the API that carried an Idempotency-Key, and what was answered."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


class KeptAnswer(models.Model):
    """What a request was answered, so that its repetition does nothing and is answered the same."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    body_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    answer = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        db_table = "kept_answers"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "key"], name="one_answer_per_user_and_key")
        ]

    def __str__(self) -> str:
        return self.key
