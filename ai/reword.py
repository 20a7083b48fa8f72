"""Changing a prompt: every wording is a version, and an old one can become current again."""

from django.contrib.auth.models import User
from django.db import transaction

from ai.models import Prompt, PromptVersion


def reword(
    prompt_id: int, instructions: str, max_tokens: int, *, author: User | None, note: str = ""
) -> PromptVersion:
    """Make this wording the prompt's current version; unchanged wording makes no new one."""
    with transaction.atomic():
        prompt = (
            Prompt.objects.select_for_update(of=("self",))
            .select_related("current")
            .get(pk=prompt_id)
        )
        current = prompt.current
        instructions = instructions.replace("\r\n", "\n").strip()
        if current and (current.instructions, current.max_tokens) == (instructions, max_tokens):
            return current
        latest = prompt.versions.order_by("-number").values_list("number", flat=True).first()
        prompt.current = PromptVersion.objects.create(
            prompt=prompt,
            number=(latest or 0) + 1,
            instructions=instructions,
            max_tokens=max_tokens,
            author=author,
            note=note[:300],
        )
        prompt.save(update_fields=["current"])
    return prompt.current
