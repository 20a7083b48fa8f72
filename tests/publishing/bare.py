"""A platform with neither key nor look-up, for the tests: what can't be known goes to a person."""

from config.outbound import Client
from publishing.platforms.base import Platform, must_be_ok
from publishing.post import Capabilities, Field, Job, Once, Receipt


class Bare(Platform):
    """Posts JSON to an address that makes a new post every time."""

    key = "bare"
    label = "Bare"
    options = (Field("url", "Address", "url", required=True),)
    capabilities = Capabilities(once=Once.NONE, in_words="Not at all: a person decides.")

    async def publish(self, job: Job, http: Client) -> Receipt:
        """Post it."""
        body = {"title": job.post.title, "marker": job.post.marker}
        answer = must_be_ok(await http.post(job.options["url"], json=body), "Bare")
        made = answer.json()
        return Receipt(str(made["id"]), made["url"], http_status=answer.status)
