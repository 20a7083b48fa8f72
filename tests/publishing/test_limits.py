"""The limits of a channel's own server: read with its connection, kept, and counted with."""

import pytest
from django.urls import reverse

from publishing import dry_run
from publishing.models import Channel
from publishing.platforms.mastodon import Mastodon
from publishing.post import Limits
from tests.publishing.wire import Answer, speaking

pytestmark = pytest.mark.django_db
UNKNOWN = "500 is the default; test the connection to read the instance's own."


@pytest.fixture
def instance():
    """An instance with limits of its own."""
    statuses = {
        "max_characters": 3000, "characters_reserved_per_url": 30, "max_media_attachments": 6,
    }  # fmt: skip
    with speaking() as wire:
        wire.says("GET /api/v1/accounts/verify_credentials", Answer(json={"acct": "desk"}))
        wire.says("GET /api/v2/instance", Answer(json={"configuration": {"statuses": statuses}}))
        yield wire


@pytest.fixture
def mastodon(instance):
    return Channel.objects.create(
        name="Ours", platform="mastodon", options={"url": instance.url}, credentials={"token": "t"}
    )


@pytest.fixture
def press(client, ada, mastodon):
    client.force_login(ada)

    def act(name):
        url = reverse("admin:publishing_channel_act", args=(mastodon.pk, name))
        answer = client.post(url, follow=True)
        return " ".join(map(str, answer.context["messages"]))

    return act


def tried(story, channel):
    [trial] = dry_run.dry_run(story, story.approved_revision, [channel], story.created_at)
    return trial.preview


def test_without_a_test_the_default_counts_and_says_so(mastodon, approved, press, client):
    shown = tried(approved(), mastodon)
    assert shown.parts[0].limit == 500
    assert UNKNOWN in shown.remarks
    page = client.get(reverse("admin:publishing_channel_change", args=(mastodon.pk,)))
    assert "At most 500 characters (the default; test the connection" in page.content.decode()


def test_testing_the_connection_reads_what_previews_then_count_with(
    mastodon, approved, press, client
):
    assert press("test") == "Connected as @desk."
    mastodon.refresh_from_db()
    assert mastodon.known_limits == Limits(3000, 30, 6)
    shown = tried(approved(summary="It sails. " * 120), mastodon)
    assert shown.parts[0].limit == 3000
    assert shown.parts[0].length > 500
    assert UNKNOWN not in shown.remarks
    page = client.get(reverse("admin:publishing_channel_change", args=(mastodon.pk,)))
    assert "Its server takes at most 3,000 characters and 6 pictures" in page.content.decode()


def test_another_server_forgets_the_limits_of_the_one_before(mastodon, press, client, instance):
    press("test")
    form = client.get(reverse("admin:publishing_channel_change", args=(mastodon.pk,)))
    fields = form.context["adminform"].form
    sent = {name: fields[name].value() for name in fields.fields}
    sent = {name: value for name, value in sent.items() if value is not None and value is not False}
    sent |= {"option_url": f"{instance.url}/elsewhere", "unchecked": "on"}
    saved = client.post(form.request["PATH_INFO"], sent)
    assert saved.status_code == 302, saved.context["adminform"].form.errors
    mastodon.refresh_from_db()
    assert mastodon.options["url"].endswith("/elsewhere")
    assert mastodon.known_limits is None


def test_saving_a_connection_that_works_keeps_its_limits_too(ada, client, instance):
    client.force_login(ada)
    url = f"{reverse('admin:publishing_channel_add')}?platform=mastodon"
    fields = client.get(url).context["adminform"].form
    sent = {name: fields[name].value() for name in fields.fields}
    sent = {name: value for name, value in sent.items() if value is not None and value is not False}
    sent |= {"name": "New", "option_url": instance.url, "secret_token": "t"}
    saved = client.post(url, sent)
    assert saved.status_code == 302, saved.context["adminform"].form.errors
    assert Channel.objects.get(name="New").known_limits == Limits(3000, 30, 6)


def test_what_is_sent_is_what_was_counted(mastodon):
    assert Mastodon.capabilities.within(Limits(3000, 30, 6)).pictures == 6
    assert Mastodon.capabilities.within(None) is Mastodon.capabilities
