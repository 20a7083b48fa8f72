"""The link that goes with a post: to our public page, tagged for its statistics."""

from html import unescape

import pytest
from django.utils import timezone

from publishing import deliver, dry_run, posts

pytestmark = pytest.mark.django_db(transaction=True)

TAGS = {"utm_source": "toots", "utm_medium": "social", "utm_campaign": "autumn"}


@pytest.fixture(autouse=True)
def public(settings):
    settings.STORY_URL = "https://www.example.org/stories/{id}/{slug}"


def test_a_post_leads_to_our_page_and_names_where_it_came_from(queued, channel, world):
    delivery = queued(channel("mastodon", **TAGS), title="The ferry is back!")
    page = f"https://www.example.org/stories/{delivery.article_id}/the-ferry-is-back"
    deliver.drain()
    [post] = world.posts("mastodon")["posts"]
    tagged = f"{page}?utm_source=toots&utm_medium=social&utm_campaign=autumn"
    assert tagged in unescape(post["html"])


def test_search_engines_are_told_the_address_without_the_tags(queued, channel):
    delivery = queued(channel("webhook", **TAGS), title="The ferry is back!")
    post = posts.of_delivery(delivery)
    assert post.canonical_url == (
        f"https://www.example.org/stories/{delivery.article_id}/the-ferry-is-back"
    )


def test_each_channel_has_its_own_link_in_the_dry_run(approved, channel):
    story = approved(title="The ferry is back!")
    tagged, plain = channel("mastodon", **TAGS), channel("mastodon", link="none")
    first, second = dry_run.dry_run(story, story.approved_revision, [tagged, plain], timezone.now())
    assert "utm_campaign=autumn" in first.preview.parts[0].text
    assert "http" not in second.preview.parts[0].text


def test_a_title_without_a_letter_has_an_address_all_the_same(approved, channel):
    story = approved(title="!!!")
    page = posts.public_page(story, story.approved_revision)
    assert page == f"https://www.example.org/stories/{story.pk}/story"
