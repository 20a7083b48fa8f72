"""What an adapter makes of a rich story, as the true server took it."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from articles import desk, revise
from articles.models import Article
from config.outbound import Client, from_settings
from publishing import platforms, queue, readback, renewal
from publishing.lifecycle import Status
from publishing.models import Channel, Delivery, Watch
from publishing.platforms import bech32
from publishing.platforms.base import Watches
from publishing.platforms.nostr_events import Key
from publishing.post import Job, Post
from tests.servers.going_on import go_on, to_the_end
from tests.servers.nostr import relay as nostr_relay
from tests.servers.proxy import Fault, Mode

pytestmark = pytest.mark.django_db(transaction=True)

RED_DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)  # a PNG of one pixel


@pytest.fixture
def picture():
    """The address of a picture that is served on loopback."""

    class Gallery(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-type", "image/png")
            self.send_header("content-length", str(len(RED_DOT)))
            self.end_headers()
            self.wfile.write(RED_DOT)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Gallery) as gallery:
        threading.Thread(target=gallery.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{gallery.server_address[1]}/dot.png"
        gallery.shutdown()


@pytest.fixture
def publish(channel, by):
    """Publishes a story with these options of the channel: the delivery at its end."""

    def go(story, **options):
        Channel.objects.filter(pk=channel.pk).update(options=channel.options | options)
        Article.objects.filter(pk=story.pk).update(
            url="https://example.org/fähre?a=1&b=2", tags=["Fähre", "harbour"], language="de"
        )
        result = queue.enqueue(story.pk, [channel.pk], by)[0]
        assert result.delivery is not None, result.problem
        row = to_the_end(result.delivery)
        assert row.status == Status.PUBLISHED, row.error_message
        return row

    return go


def seen(row):
    """The post as the adapter reads it back."""
    adapter = platforms.platform(row.platform)
    assert isinstance(adapter, Watches)
    channel = row.channel

    async def look():
        async with Client(from_settings()) as http:
            secrets = channel.credentials.reveal()
            fresh = await renewal.fresh(channel.pk, adapter, secrets, http, refused=False)
            job = Job(
                Post("", "", ""), channel.options, fresh, remote_id=row.remote_id,
                remote_url=row.remote_url,
            )  # fmt: skip
            return await adapter.seen(job, http)

    return async_to_sync(look)()


def test_a_post_is_read_back_and_its_absence_is_seen(venue, delivery, story, by):
    if not isinstance(platforms.platform(venue.key), Watches):
        pytest.skip(f"{venue.key} can't be read back")
    row = to_the_end(delivery)
    there = seen(row)
    assert there.there
    assert there.text
    desk.perform(story.pk, "kill", by, reason="It was wrong.")
    go_on(delivery)
    assert not seen(row).there


def look_again():
    """Another look at what is out, now."""
    Watch.objects.update(count_at=timezone.now(), look_at=timezone.now())
    readback.read_back()
    return Watch.objects.get()


def test_what_stands_untouched_or_was_corrected_by_us_is_never_called_changed(
    venue, delivery, story, channel, by
):
    if not isinstance(platforms.platform(venue.key), Watches):
        pytest.skip(f"{venue.key} can't be read back")
    to_the_end(delivery)
    assert readback.begin() == 1
    assert look_again().words_hash
    assert look_again().finding == ""
    desk.perform(story.pk, "correct", by, reason="The ferry has another name.")
    story.refresh_from_db()
    revise.save(story.pk, by, story.version, {"content": "<p>It sails never again.</p>"})
    desk.submit(story.pk, by)
    desk.approve(story.pk, by)
    result = queue.enqueue(story.pk, [channel.pk], by)[0]
    assert result.delivery is not None, result.problem
    assert to_the_end(result.delivery).status == Status.PUBLISHED
    assert look_again().finding == ""
    assert look_again().finding == ""


@pytest.mark.only("bluesky")
def test_bluesky_links_and_tags_lie_where_their_bytes_are(venue, publish, approved):
    row = publish(approved(title="Die Fähre 🛥️ fährt", summary="Sie fährt wieder – endlich."))
    record = venue.record(row.remote_id)
    assert record["langs"] == ["de"]
    words = record["text"].encode()
    found = {}
    for facet in record["facets"]:
        where = facet["index"]
        feature = facet["features"][0]
        found[words[where["byteStart"] : where["byteEnd"]].decode()] = feature.get(
            "uri"
        ) or feature.get("tag")
    assert found["#Fähre"] == "Fähre"
    assert found["#harbour"] == "harbour"
    assert any(value.startswith("https://example.org/") for value in found.values())
    assert record["embed"]["external"]["title"] == "Die Fähre 🛥️ fährt"


@pytest.mark.only("bluesky")
def test_bluesky_takes_pictures_with_their_descriptions(venue, publish, approved, picture):
    content = f'<p>Look.</p><figure><img src="{picture}" alt="A red dot"></figure>'
    row = publish(approved(content=content))
    image = venue.record(row.remote_id)["embed"]["images"][0]
    assert image["alt"] == "A red dot"
    assert venue.blob(image["image"]["ref"]["$link"]) == RED_DOT


@pytest.mark.only("bluesky")
@pytest.mark.parametrize("mode", [Mode.LOST, Mode.NEVER, Mode.DONE_503])
def test_a_bluesky_thread_goes_on_where_it_broke(venue, publish, proxy, approved, mode):
    content = "".join(f"<p>Paragraph {number} of it. {'Word. ' * 40}</p>" for number in range(4))
    before_it = venue.uris()
    proxy.spoil(Fault(mode, venue.meant, skip=2))
    row = publish(approved(title="A long one", content=content), form="thread")
    row = Delivery.objects.get(pk=row.pk)
    records = [venue.record(part) for part in row.parts]
    assert len(records) >= 4
    assert len(set(row.parts)) == len(records)
    assert row.parts[0] == row.remote_id
    assert "reply" not in records[0]
    for before, record in zip(row.parts, records[1:], strict=False):
        assert record["reply"]["root"]["uri"] == row.remote_id
        assert record["reply"]["parent"]["uri"] == before
    assert venue.uris() - before_it == set(row.parts)


@pytest.mark.only("wordpress")
def test_wordpress_gets_the_first_picture_with_its_description(venue, publish, approved, picture):
    content = f'<p>Look.</p><figure><img src="{picture}" alt="A red dot"></figure>'
    row = publish(approved(content=content))
    post = venue.ask(f"/posts/{row.remote_id}?context=edit")
    media = venue.ask(f"/media/{post['featured_media']}?context=edit")
    assert media["alt_text"] == "A red dot"
    assert media["mime_type"] == "image/png"


@pytest.mark.only("wordpress")
@pytest.mark.parametrize("mode", [Mode.LOST, Mode.CUT_SHORT, Mode.DONE_503, Mode.NEVER])
def test_a_wordpress_draft_whose_answer_was_lost_is_used_again(venue, proxy, delivery, story, mode):
    proxy.spoil(Fault(mode, venue.meant))
    to_the_end(delivery)
    listed = venue.ask("/posts?status=any&context=edit&per_page=100")
    ours = [each for each in listed if story.title in each["title"]["raw"]]
    assert [each["status"] for each in ours] == ["publish"]


@pytest.mark.only("matrix")
@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("mode", [None, Mode.LOST, Mode.DONE_503])
def test_matrix_gets_each_picture_once_with_its_description(
    venue, publish, proxy, approved, picture, mode, skip
):
    content = f'<p>Look.</p><figure><img src="{picture}" alt="A red dot"></figure>'
    if mode is not None:
        proxy.spoil(Fault(mode, venue.meant, skip=skip))
    before = len(venue.posts("A red dot"))
    row = Delivery.objects.get(pk=publish(approved(content=content)).pk)
    assert len(venue.posts("A red dot")) == before + 1
    message, dot = (venue.event(part)["content"] for part in row.parts)
    assert message["msgtype"] == "m.text"
    assert (dot["msgtype"], dot["body"]) == ("m.image", "A red dot")
    assert dot["info"] == {"mimetype": "image/png", "size": len(RED_DOT)}


@pytest.mark.only("matrix")
def test_matrix_gets_a_whole_story_in_words_and_in_html(venue, publish, approved):
    row = publish(approved(content="<p>It <strong>sails</strong>.</p>"), form="whole")
    content = venue.event(row.remote_id)["content"]
    assert content["format"] == "org.matrix.custom.html"
    assert "<strong>sails</strong>" in content["formatted_body"]
    assert "It sails." in content["body"]


@pytest.mark.only("nostr")
@pytest.mark.parametrize("mode", [Mode.LOST, Mode.NEVER, Mode.DONE_503])
def test_a_nostr_thread_that_broke_is_whole_and_once(venue, publish, proxy, approved, mode):
    content = "".join(f"<p>Paragraph {number} of it. {'Word. ' * 80}</p>" for number in range(6))
    word = f"Long {mode}"
    proxy.spoil(Fault(mode, venue.meant, skip=1))
    row = publish(approved(title=word, content=content), form="thread")
    ids = [bech32.named(part).special.hex() for part in Delivery.objects.get(pk=row.pk).parts]
    [first] = [each for each in venue.ask({"ids": [ids[0]]}) if word in each["content"]]
    thread = venue.ask({"kinds": [1], "#e": [ids[0]]})
    assert len(ids) >= 3
    assert {first["id"], *(each["id"] for each in thread)} == set(ids)
    assert len(thread) == len(ids) - 1


@pytest.mark.only("nostr", "nostr_article")
def test_what_readers_on_nostr_say_and_like_is_counted(venue, delivery):
    row = to_the_end(delivery)
    named, author = bech32.named(row.remote_id), Key.read(venue.credentials["key"]).public.hex()
    about = ("e", named.special.hex())
    if venue.kind == 30023:
        about = ("a", f"30023:{author}:{named.special.decode()}")
    rita, rob = Key(b"\x03" * 32), Key(b"\x04" * 32)
    now = int(time.time())
    for event in (
        rita.sign(7, now, [about], "+"), rita.sign(7, now, [about], "🤙"),
        rob.sign(7, now, [about], "+"), rob.sign(1, now, [about], "Really?"),
        rob.sign(7, now, [("e", "0" * 64)], "+"),
    ):  # fmt: skip
        venue.says(event.as_json())
    readback.begin()
    found = look_again()
    assert (found.reactions, found.replies, found.shares) == (2, 1, 0)


@pytest.mark.only("nostr_article")
def test_a_nostr_article_keeps_its_first_day_and_its_place_when_it_is_corrected(
    venue, publish, approved, channel, by
):
    content = '<p>It <strong>sails</strong>.</p><img src="https://example.org/a.jpg" alt="A ferry">'
    story = approved(title="An article", content=content)
    row = publish(story)
    marker = bech32.named(row.remote_id).special.decode()
    [first] = venue.ask({"kinds": [30023], "#d": [marker]})
    assert first["content"] == "It **sails**.\n\n![A ferry](https://example.org/a.jpg)"
    desk.perform(story.pk, "correct", by, reason="Another name.")
    story.refresh_from_db()
    revise.save(story.pk, by, story.version, {"content": "<p>It stays.</p>"})
    desk.submit(story.pk, by)
    desk.approve(story.pk, by)
    again = queue.enqueue(story.pk, [channel.pk], by)[0]
    assert again.delivery is not None, again.problem
    assert to_the_end(again.delivery).status == Status.PUBLISHED
    [second] = venue.ask({"kinds": [30023], "#d": [marker]})
    assert second["content"] == "It stays."
    days = [
        [tag[1] for tag in each["tags"] if tag[0] == "published_at"] for each in (first, second)
    ]
    assert days[0] == days[1] == [str(first["created_at"])]


@pytest.mark.only("nostr_article")
def test_what_a_relay_finds_too_long_is_refused_at_once_in_its_words(venue, approved, channel, by):
    """nostr-relay ends at 4,096 characters, and refuses without naming the event."""
    long = approved(title="Long", content=f"<p>{'Word. ' * 1000}</p>")
    result = queue.enqueue(long.pk, [channel.pk], by)[0]
    assert result.delivery is not None, result.problem
    begun = time.monotonic()
    row = to_the_end(result.delivery)
    assert (row.status, row.attempts) == (Status.FAILED, 1)
    assert "280 characters should be enough for anybody" in row.error_message
    assert time.monotonic() - begun < 10


@pytest.mark.only("nostr")
def test_a_relay_for_members_is_entered_by_signing_its_challenge(venue, story, by, tmp_path):
    member = Key(b"\x01" * 32).public.hex()
    with nostr_relay(tmp_path, members=[member]) as url:
        outcomes = {}
        for name, key in (("member", b"\x01" * 32), ("stranger", b"\x02" * 32)):
            channel = Channel.objects.create(
                name=name, platform="nostr", options={"relays": url, "enough": 1},
                credentials={"key": key.hex()}, rate_limit_per_minute=6000,
            )  # fmt: skip
            result = queue.enqueue(story.pk, [channel.pk], by, confirm_duplicates=True)[0]
            assert result.delivery is not None, result.problem
            outcomes[name] = to_the_end(result.delivery)
    assert outcomes["member"].status == Status.PUBLISHED, outcomes["member"].error_message
    assert outcomes["stranger"].status == Status.FAILED
    assert "restricted: permission denied" in outcomes["stranger"].error_message
