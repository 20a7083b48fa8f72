"""Platforms with no key, for the tests: one that can be searched, and one that offers nothing."""

from config.outbound import Client
from publishing.platforms.base import Platform, must_be_ok, only_reading
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


class Searchable(Bare):
    """The same with a list of what arrived: what is in doubt can be searched for."""

    key = "searchable"
    label = "Searchable"
    capabilities = Capabilities(once=Once.LOOK_UP, in_words="By looking through what arrived.")

    async def look_up(self, job: Job, http: Client) -> Receipt | None:
        """Ours, by its marker."""
        where = job.options["url"].removesuffix("/bare/post")
        with only_reading("Searchable"):
            arrived = must_be_ok(await http.get(f"{where}/_control/posts"), "Searchable").json()
        for post in arrived["bare"]["posts"]:
            if post["marker"] == job.post.marker:
                return Receipt(post["id"], where + post["path"], confirmed_by="look_up")
        return None
