"""A platform that posts nowhere: for trying out a channel's schedule and a story's text."""

from publishing.platforms.base import Platform
from publishing.post import Capabilities, Job, Once, Post, Receipt


class DryRun(Platform):
    """Keeps what would have gone out in the delivery's attempt."""

    key = "dryrun"
    label = "Dry run"
    help = "Posts nowhere. What would have gone out is kept in the delivery's log."
    capabilities = Capabilities(
        once=Once.KEY, in_words="Nothing leaves the desk.", form="whole story",
        tried_against="the desk itself",
    )  # fmt: skip

    async def publish(self, job: Job, http: object) -> Receipt:
        """Takes the post and keeps it to itself."""
        return Receipt(remote_id=job.post.marker, excerpt=_shown(job.post))


def _shown(post: Post) -> str:
    parts = [post.title, post.summary, post.text, post.url, " ".join(post.tags)]
    return "\n\n".join(part for part in parts if part)[:1000]
