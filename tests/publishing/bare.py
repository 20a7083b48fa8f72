"""Platforms with no key, for the tests: one that can be searched, and one that offers nothing."""

from typing import ClassVar

from config.outbound import Client
from publishing.platforms.base import Platform, must_be_ok, only_reading
from publishing.post import Capabilities, Counts, Field, Job, Once, Receipt, Seen


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


class Watched(Bare):
    """The same where posts can be read back: `stands` is what is there, by its number."""

    key = "watched"
    label = "Watched"
    stands: ClassVar[dict[str, tuple[str, Counts]]] = {}
    asked: ClassVar[list[str]] = []
    trouble: ClassVar[list[Exception]] = []

    async def seen(self, job: Job, http: Client) -> Seen:
        """What stands there."""
        self.asked.append("seen")
        if self.trouble:
            raise self.trouble.pop()
        if job.remote_id not in self.stands:
            return Seen(there=False)
        return Seen(there=True, text=self.stands[job.remote_id][0])

    async def counts(self, job: Job, http: Client) -> Counts:
        """How it does."""
        self.asked.append("counts")
        return self.stands[job.remote_id][1]
