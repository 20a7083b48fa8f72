"""Nostr: what is signed and sent, and what every answer of a relay means. Real WebSockets."""

import asyncio
import json
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from coincurve import PrivateKey
from django.db.models.functions import Now
from hypothesis import given
from hypothesis import strategies as st

from config.outbound import Client, from_settings
from publishing import deliver, platforms, queue
from publishing.document import Picture
from publishing.errors import Reauthorise, Refusal, Unknown, Wait
from publishing.lifecycle import Status
from publishing.models import Channel, Delivery
from publishing.platforms import bech32, nostr_relay
from publishing.platforms.base import Verifies
from publishing.platforms.nostr_events import Key, read
from publishing.post import Job, Post
from tests.publishing.relay import listening, tell, valid
from tests.publishing.wire import Answer, speaking

SECRET = "67dea2ed018072d675f5415ecfaed7d2597555e202d85b3d65ea4e58d2d92ffa"  # NIP-19's example
NSEC = "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5"
NPUB_OF_NIP19 = "npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg"
STORY = Post(
    "Ferry returns", "<p>It <strong>sails</strong>.</p>", "It sails.",
    summary="It sails again, says its owner.", url="https://example.org/ferry",
    tags=("Harbour news", "ferry"), marker="0f7be9a2-5c1d-4b7e-9d7e-2f6c1f0f1a11",
)  # fmt: skip


@pytest.fixture
def relay():
    with listening() as relay:
        yield relay


@pytest.fixture
def other():
    with listening() as relay:
        yield relay


def job(*relays, post=STORY, enough=1, draft_id="1763900000", **more):
    options = {"relays": "\n".join(each.url for each in relays), "enough": enough}
    options |= more.pop("options", {})
    return Job(post, options, {"key": NSEC}, draft_id=draft_id, **more)


def calls(act, what, key="nostr"):
    async def go():
        async with Client(from_settings()) as http:
            return await getattr(platforms.platform(key), act)(what, http)

    return asyncio.run(go())


def tags(event, name):
    return [tag[1:] for tag in event["tags"] if tag[0] == name]


# --- names and signatures ---


def test_keys_are_read_and_written_as_in_the_examples_of_nip_19():
    assert bech32.decoded(NSEC) == ("nsec", bytes.fromhex(SECRET))
    assert bech32.encoded("nsec", bytes.fromhex(SECRET)) == NSEC
    public = "7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e"
    assert bech32.encoded("npub", bytes.fromhex(public)) == NPUB_OF_NIP19
    assert Key.read(f" {SECRET.upper()}\n").npub == Key.read(NSEC.upper()).npub


def test_a_profile_of_nip_19_in_its_parts_is_no_event():
    profile = (
        "nprofile1qqsrhuxx8l9ex335q7he0f09aej04zpazpl0ne2cgukyawd24mayt8gpp4mhxue69uhhytnc9e3k7m"
        "gpz4mhxue69uhkg6nzv9ejuumpv34kytnrdaksjlyr9p"
    )
    assert bech32.decoded(profile)[0] == "nprofile"
    with pytest.raises(ValueError, match="no event"):
        bech32.named(profile)


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("", "can't be read"),
        (NSEC[:-1] + "6", "can't be read"),
        (NSEC[:-3], "can't be read"),
        (SECRET[:-2], "can't be read"),
        ("0" * 64, "can't be read"),
        ("f" * 64, "can't be read"),
        (NPUB_OF_NIP19, "This is the public key"),
        (bech32.encoded("note", bytes(31) + b"\x01"), "can't be read"),
        ("nsec1ä" + NSEC[6:], "can't be read"),
    ],
)
def test_a_key_that_is_none_is_named_in_one_sentence_without_it(key, says):
    with pytest.raises(ValueError, match=says) as problem:
        Key.read(key)
    assert len(key) < 10 or key[6:] not in str(problem.value)


def test_signatures_are_those_of_bip_340():
    """Vector 0 of the BIP: secret 3, and none for randomness is 32 zero bytes."""
    secret: Any = PrivateKey((3).to_bytes(32, "big"))
    expected = (
        "e907831f80848d1069a5371b402410364bdf1c5f8307b0084c55f1ce2dca8215"
        "25f66a4a85ea8b71e482a74f382d2ce5ebeee8fdb2172f477df4900d310536c0"
    )
    assert secret.sign_schnorr(bytes(32), None).hex() == expected
    public = "f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"
    assert Key((3).to_bytes(32, "big")).public.hex() == public


def test_the_same_words_at_the_same_moment_are_the_same_event_to_the_last_byte():
    key = Key.read(NSEC)
    one, two = (key.sign(1, 1763900000, [("t", "ferry")], 'Fähre 🛥️\n\t"x\\') for _ in "ab")
    assert one == two
    assert valid(one.as_json())
    assert read(one.as_json()) == one


def test_what_json_could_write_in_two_ways_is_left_out():
    event = Key.read(NSEC).sign(1, 0, [("t", "a\x00b")], "a\x07\ud800b\x7f\u2028")
    assert (event.content, event.tag("t")) == ("ab\x7f\u2028", "ab")
    assert valid(event.as_json())


@pytest.mark.parametrize(
    "spoilt",
    [
        {"content": "other words"}, {"sig": "00" * 64}, {"sig": "00"}, {"sig": None},
        {"pubkey": "00" * 32}, {"created_at": True}, {"created_at": "1"}, {"kind": 1.0},
        {"tags": [["e", 1]]}, {"tags": [[]]}, {"tags": {}}, {"content": None}, {"id": "x"},
    ],
)  # fmt: skip
def test_an_event_that_its_author_did_not_sign_is_not_believed(spoilt):
    good = Key.read(NSEC).sign(1, 1763900000, [("t", "x")], "words").as_json()
    assert read(good)
    assert read(good | spoilt) is None


@given(st.text(st.characters(max_codepoint=0x7F), max_size=20), st.binary(max_size=300))
def test_bech32_brings_back_every_byte_and_notices_every_wrong_letter(prefix, data):
    prefix = "".join(filter(str.isalnum, prefix.lower())) or "x"
    text = bech32.encoded(prefix, data)
    assert bech32.decoded(text) == bech32.decoded(text.upper()) == (prefix, data)
    wrong = text[:-1] + ("q" if text[-1] != "q" else "p")
    with pytest.raises(ValueError, match="wrong"):
        bech32.decoded(wrong)


@given(st.text(max_size=200) | st.from_regex(r"(note|naddr|nevent)1[qpzry9x8]{6,90}"))
def test_no_text_is_read_as_a_name_by_accident(text):
    with pytest.raises(ValueError):
        bech32.named(text)


@given(
    st.dictionaries(
        st.sampled_from(["id", "pubkey", "created_at", "kind", "tags", "content", "sig"]),
        st.none() | st.integers() | st.text() | st.sampled_from(["00" * 32, "7e" * 32, "ff" * 64])
        | st.lists(st.lists(st.text() | st.integers(), max_size=3), max_size=3),
    )
    | st.none() | st.text() | st.lists(st.integers())
)  # fmt: skip
def test_whatever_a_relay_calls_an_event_is_read_without_a_crash(body):
    assert read(body) is None


# --- what goes out ---


def test_a_note_is_the_short_form_with_its_tags(relay):
    receipt = calls("publish", job(relay))
    [note] = relay.kind(1)
    assert note["content"].startswith(
        "Ferry returns\n\nIt sails again, says its owner.\n\nhttps://"
    )
    assert tags(note, "t") == [["harbournews"], ["ferry"]]
    assert note["created_at"] == 1763900000
    named = bech32.named(receipt.remote_id)
    assert (named.prefix, named.special.hex(), named.kind) == ("nevent", note["id"], 1)
    assert receipt.remote_url.startswith("https://njump.me/nevent1")
    assert f"{relay.url}: OK" in receipt.excerpt


def test_pictures_go_by_their_address_with_what_they_show(relay):
    post = replace(
        STORY,
        pictures=(
            Picture("https://example.org/a.jpg", "The ferry"),
            Picture("https://example.org/b.jpg", ""),
            Picture("data:image/png;base64,AA", "inside the text"),
        ),
    )
    calls("publish", job(relay, post=post))
    [note] = relay.kind(1)
    assert note["content"].endswith("\n\nhttps://example.org/a.jpg\n\nhttps://example.org/b.jpg")
    assert tags(note, "imeta") == [["url https://example.org/a.jpg", "alt The ferry"]]


def test_a_thread_answers_its_first_note_and_the_one_before(relay):
    kept = []

    async def keep(part):
        kept.append(part)

    post = replace(STORY, text="\n\n".join(f"Paragraph {n}. {'Word. ' * 150}" for n in range(3)))
    what = job(relay, post=post, options={"form": "thread"}, keep_part=keep)
    receipt = calls("publish", what)
    first, second, third = relay.kind(1)
    root = ["e", first["id"], relay.url, "root", first["pubkey"]]
    assert not tags(first, "e")
    assert [tag for tag in second["tags"] if tag[0] == "e"] == [root]
    assert [tag for tag in third["tags"] if tag[0] == "e"] == [
        root, ["e", second["id"], relay.url, "reply", first["pubkey"]],
    ]  # fmt: skip
    assert [bech32.named(each).special.hex() for each in kept] == [
        each["id"] for each in (first, second, third)
    ]
    assert receipt.remote_id == kept[0]
    calls("delete", replace(what, remote_id=kept[0], parts=tuple(kept)))
    assert relay.kind(1) == []


def test_an_article_is_markdown_under_our_marker_and_is_replaced_by_its_correction(relay):
    receipt = calls("publish", job(relay), key="nostr_article")
    [article] = relay.kind(30023)
    assert article["content"] == "It **sails**."
    assert tags(article, "d") == [[STORY.marker]]
    assert tags(article, "title") == [["Ferry returns"]]
    assert tags(article, "published_at") == [["1763900000"]]
    assert bech32.named(receipt.remote_id).special.decode() == STORY.marker

    better = replace(STORY, title="Ferry stays", html="<p>It stays.</p>")
    about = {"remote_id": receipt.remote_id, "remote_url": receipt.remote_url}
    edit = job(relay, post=better, draft_id="", **about)
    assert calls("edit", edit, key="nostr_article").remote_url == receipt.remote_url
    [article] = relay.kind(30023)
    assert (article["content"], tags(article, "title")) == ("It stays.", [["Ferry stays"]])
    assert tags(article, "published_at") == [["1763900000"]]
    assert calls("seen", edit, key="nostr_article").text == "It stays."
    calls("delete", job(relay, **about, draft_id=""), key="nostr_article")
    assert not calls("seen", edit, key="nostr_article").there


def test_a_correction_within_the_same_second_is_the_later_one(relay):
    now = str(int(time.time()) + 5)
    receipt = calls("publish", job(relay, draft_id=now), key="nostr_article")
    kept = []

    async def keep(moment):
        kept.append(moment)

    edit = job(relay, draft_id="", keep_draft=keep, remote_id=receipt.remote_id)
    calls("edit", edit, key="nostr_article")
    assert kept == [str(int(now) + 1)]


def test_a_correction_of_a_note_hangs_on_it(relay):
    receipt = calls("publish", job(relay))
    notice = Post("Correction: Ferry returns", "", "It was Monday.", marker="x")
    calls("reply", job(relay, post=notice, draft_id="1763900009", remote_id=receipt.remote_id))
    first, answer = relay.kind(1)
    assert tags(answer, "e") == [[first["id"], relay.url, "root", first["pubkey"]]]
    assert answer["content"] == "Correction: Ferry returns\n\nIt was Monday."


def test_a_withdrawal_is_a_wish_and_says_so(relay):
    receipt = calls("publish", job(relay))
    gone = calls("delete", job(relay, remote_id=receipt.remote_id))
    [wish] = relay.kind(5)
    assert tags(wish, "k") == [["1"]]
    assert "may keep it" in gone.excerpt
    assert not calls("seen", job(relay, remote_id=receipt.remote_id)).there


def test_a_link_that_a_person_pasted_names_the_note_too(relay):
    receipt = calls("publish", job(relay))
    assert calls("seen", job(relay, remote_url=receipt.remote_url)).there
    for unknown in ("", "https://njump.me/", "https://njump.me/npub1x", receipt.remote_id[:-1]):
        with pytest.raises(Refusal, match="not known which"):
            calls("seen", job(relay, remote_id=unknown))


def test_what_was_signed_with_another_key_is_not_touched(relay):
    receipt = calls("publish", job(relay))
    stranger = replace(job(relay, remote_id=receipt.remote_id), credentials={"key": "11" * 32})
    with pytest.raises(Refusal, match="another key"):
        calls("delete", stranger)
    assert not relay.sent("EVENT")[1:]


# --- what a relay answers: one row each ---


def no(words):
    def say(socket, event):
        tell(socket, "OK", event["id"], False, words)
        return True

    return say


def does(what):
    def say(socket, event):
        what(socket, event)
        return True

    return say


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (no("rate-limited: slow down"), Wait, "slow down"),
        (no("blocked: you are banned"), Refusal, "banned"),
        (no("invalid: too far in the future"), Refusal, "future"),
        (no("pow: difficulty 25 is less than 30"), Refusal, "proof of work"),
        (no("restricted: members only"), Refusal, "members only"),
        (no("auth-required: who are you?"), Reauthorise, "doesn't know"),
        (no("error: could not connect to the database"), Unknown, "database"),
        (no("mute: no one was listening"), Refusal, "no one"),
        (no("rejected: not here"), Refusal, "not here"),
        (no("(sqlite3.OperationalError) database is locked"), Unknown, "locked"),
        (no(""), Refusal, "no reason"),
        (does(lambda socket, event: tell(socket, "OK", event["id"], False)), Refusal, "reason"),
        (does(lambda socket, event: tell(socket, "OK", event["id"], False, 7)), Refusal, "reason"),
        (does(lambda socket, event: tell(socket, "OK", "", False, "invalid: no")), Refusal, "no"),
        (does(lambda socket, event: socket.close()), Unknown, "closed the connection"),
        (does(lambda socket, event: socket.socket.shutdown(2)), Unknown, "broke off"),
        (does(lambda socket, event: socket.send("x" * 600_000)), Unknown, "more than is allowed"),
    ],
)  # fmt: skip
def test_every_answer_is_read_for_what_it_means(relay, answer, error, says):
    relay.instead = [answer]
    with pytest.raises(error, match=says) as problem:
        calls("publish", job(relay))
    assert relay.url in str(problem.value)
    assert type(problem.value) is error


@pytest.mark.parametrize("prefix", ["duplicate: have it", "replaced: have newer event"])
def test_what_the_relay_has_already_is_a_success(relay, prefix):
    relay.instead = [no(prefix)]
    assert calls("publish", job(relay)).remote_id


def hostile(socket, event):
    for rubbish in (
        "", "{", "[]", "null", "7", '{"OK": 1}', "[" * 100_000, '["OK"]', '["OK", 1, true, ""]',
        f'["OK", "{event["id"]}", "true", ""]', f'["OK", "{"0" * 64}", false, "blocked: no"]',
        '["EVENT", "desk", 5]', '["EOSE"]', '["CLOSED"]', "[[1]]", '["AUTH", {}]', '["NOTICE"]',
        '["OK", "\\ud800", true, ""]',
    ):  # fmt: skip
        socket.send(rubbish)
    socket.send(b"\x00\xff binary")


def test_rubbish_and_answers_to_others_are_passed_over(relay):
    def first_rubbish(socket, event):
        hostile(socket, event)
        return False

    relay.instead = [first_rubbish]
    assert calls("publish", job(relay)).remote_id
    assert len(relay.kind(1)) == 1


def test_a_relay_that_only_talks_is_left_in_time_and_its_notice_is_passed_on(relay, monkeypatch):
    monkeypatch.setattr(nostr_relay, "_LONGEST_TALK", 1.0)

    def chatter(socket, event):
        while True:
            tell(socket, "NOTICE", "could not parse command")
            time.sleep(0.05)

    relay.instead = [chatter]
    with pytest.raises(Unknown, match=r"within 1 seconds.*could not parse command"):
        calls("publish", job(relay))


def test_a_relay_that_floods_is_cut_off(relay):
    def flood(socket, event):
        while True:
            socket.send(json.dumps(["NOTICE", "x" * 400_000]))

    relay.instead = [flood]
    with pytest.raises(Unknown, match="more than is allowed"):
        calls("publish", job(relay))


def test_who_is_asked_to_sign_in_signs_the_challenge_and_sends_once_more(relay):
    relay.members_only = True
    assert calls("publish", job(relay)).remote_id
    [[_, login]] = relay.sent("AUTH")
    assert (login["kind"], tags(login, "relay")) == (22242, [[relay.url]])
    assert len(relay.sent("EVENT")) == 2
    assert len(relay.kind(1)) == 1
    receipt = calls("publish", job(relay))
    assert calls("seen", job(relay, remote_id=receipt.remote_id)).there


def test_a_relay_that_says_nothing_to_a_good_signature_is_asked_again_all_the_same(
    relay, monkeypatch
):
    """As nostr-relay 1.14 does: a challenge at the door, “restricted”, and silence after AUTH."""
    monkeypatch.setattr(nostr_relay, "_WELCOME", 0.2)
    relay.greeting = ['["AUTH", "riddle"]']
    relay.silent_welcome = True
    relay.instead = [no("restricted: permission denied")]
    assert calls("publish", job(relay)).remote_id
    assert len(relay.sent("AUTH")) == 1


def test_nobody_at_the_address_is_a_wait_and_nothing_was_sent():
    with listening() as gone:
        pass
    with pytest.raises(Wait, match="Nothing answers"):
        calls("publish", job(gone))


@pytest.mark.parametrize(
    ("status", "error"),
    [(200, Refusal), (301, Refusal), (401, Refusal), (404, Refusal), (429, Wait), (503, Wait)],
)
def test_an_address_that_opens_no_websocket_has_got_nothing(status, error):
    with speaking() as web:
        web.says("GET /*", Answer(status, headers={"location": "/elsewhere"}))
        what = replace(job(), options={"relays": web.url.replace("http", "ws")})
        with pytest.raises(error, match=f"it answered {status}"):
            calls("publish", what)
        assert len(web.asked) == 1


@pytest.mark.parametrize(
    ("relays", "says"),
    [
        ("", "No relay is named"),
        ("https://relay.example", "begins with wss://"),
        ("wss://", "begins with wss://"),
        ("\n".join(f"wss://relay{n}.example" for n in range(21)), "more than the 20"),
        ("wss://user:pass@relay.example", "user name or password"),
        ("ws://10.0.0.1:7777", "private or special network"),
        ("wss://relay.example:6379", "Port 6379 is not allowed"),
    ],
)
def test_a_list_of_relays_that_can_not_be_is_refused_with_a_sentence(relays, says):
    what = replace(job(), options={"relays": relays})
    with pytest.raises(Refusal, match=says):
        calls("publish", what)


def test_a_relay_that_is_named_twice_is_one(relay):
    what = job(relay, enough=2)
    options = what.options | {"relays": f"{relay.url}\n{relay.url}/\n"}
    with pytest.raises(Refusal, match="only 1"):
        calls("publish", replace(what, options=options))


def test_more_takers_than_relays_are_never_waited_for(relay):
    with pytest.raises(Refusal, match="2 relays must take it, but only 1"):
        calls("publish", job(relay, enough=2))


# --- several relays ---


def test_who_took_it_is_in_the_receipt(relay, other):
    other.instead = [no("blocked: not here")]
    receipt = calls("publish", job(relay, other))
    assert f"{relay.url}: OK" in receipt.excerpt
    assert "not here" in receipt.excerpt


def test_fewer_than_asked_is_tried_again_and_nobody_has_it_twice(relay, other):
    other.instead = [no("rate-limited: later")]
    what = job(relay, other, enough=2)
    with pytest.raises(Unknown, match="1 of 2 relays took it, 2 are wanted"):
        calls("publish", what)
    calls("publish", replace(what, again=True))
    assert [len(each.kind(1)) for each in (relay, other)] == [1, 1]


def test_where_nobody_has_it_and_too_few_ever_will_it_is_refused(relay, other):
    for answers, error in (
        (("blocked: no", "rate-limited: later"), Wait),
        (("blocked: no", "invalid: no"), Refusal),
        (("blocked: no", "auth-required: who?"), Reauthorise),
        (("blocked: no", "error: who knows"), Unknown),
    ):
        relay.instead, other.instead = ([no(each)] for each in answers)
        with pytest.raises(error) as problem:
            calls("publish", job(relay, other))
        assert type(problem.value) is error


def test_a_withdrawal_reaches_every_relay_that_takes_anything_from_us(relay, other):
    receipt = calls("publish", job(relay, other))
    about = {"remote_id": receipt.remote_id}
    other.instead = [no("rate-limited: later")]
    with pytest.raises(Wait, match="later"):
        calls("delete", job(relay, other, **about))
    calls("delete", job(relay, other, **about, again=True))
    assert [each.kind(1) for each in (relay, other)] == [[], []]
    other.instead = [no("blocked: not here")]
    assert calls("delete", job(relay, other, **about)).excerpt
    other.instead = [does(lambda socket, event: socket.close())]
    with pytest.raises(Unknown, match="closed the connection"):
        calls("delete", job(relay, other, **about))


def test_absence_counts_only_when_every_relay_was_asked(relay, other):
    receipt = calls("publish", job(relay))
    about = {"remote_id": receipt.remote_id}
    other.closes_requests = "error: shutting down"
    assert calls("seen", job(relay, other, **about)).there
    relay.events.clear()
    with pytest.raises(Wait, match="Not all relays"):
        calls("seen", job(relay, other, **about))


# --- reading back ---


def test_reactions_answers_and_reposts_are_counted_by_people_and_over_all_relays(relay, other):
    receipt = calls("publish", job(relay, other))
    about = ("e", bech32.named(receipt.remote_id).special.hex())
    alice, bob = Key(b"\x01" * 32), Key(b"\x02" * 32)
    like = alice.sign(7, 5, [about], "+").as_json()
    for each in (relay, other):
        each.keep(like)
    relay.keep(alice.sign(7, 6, [about], "🤙").as_json())
    other.keep(bob.sign(7, 7, [about], "+").as_json())
    other.keep(bob.sign(1, 8, [about], "Really?").as_json())
    other.keep(bob.sign(6, 9, [about], "").as_json())
    other.keep(Key.read(NSEC).sign(1, 9, [about], "our own correction").as_json())
    forged = alice.sign(1, 10, [about], "x").as_json() | {"content": "y"}
    other.keep(forged)
    counts = calls("counts", job(relay, other, remote_id=receipt.remote_id))
    assert (counts.reactions, counts.replies, counts.shares) == (2, 1, 1)


def test_a_stranger_with_our_address_is_not_read_as_ours(relay):
    receipt = calls("publish", job(relay), key="nostr_article")
    stranger = Key(b"\x01" * 32).sign(30023, 2**31, [("d", STORY.marker)], "Lies.").as_json()
    relay.events[stranger["id"]] = stranger
    relay.closes_requests = ""
    what = job(relay, remote_id=receipt.remote_id)
    assert calls("seen", what, key="nostr_article").text == "It **sails**."


def test_a_connection_is_confirmed_with_the_public_key(relay, other):
    def verify(*relays, enough=1):
        what = job(*relays, enough=enough)

        async def go():
            async with Client(from_settings()) as http:
                adapter = platforms.platform("nostr")
                assert isinstance(adapter, Verifies)
                return await adapter.verify(what.options, what.credentials, http)

        return asyncio.run(go())

    said = verify(relay, other)
    assert said == f"Connected as {Key.read(NSEC).npub}: 2 of 2 relays answer."
    other.closes_requests = "restricted: members only"
    assert "1 of 2" in verify(relay, other)
    with pytest.raises(Refusal, match=r"1 of 2 relays answer.*members only"):
        verify(relay, other, enough=2)
    assert not relay.sent("EVENT")


# --- through the queue ---


@pytest.fixture
def channel(db, relay):
    return Channel.objects.create(
        name="Our notes", platform="nostr", options={"relays": relay.url, "enough": 1},
        credentials={"key": NSEC}, rate_limit_per_minute=6000,
    )  # fmt: skip


def go_on(row):
    Delivery.objects.exclude(next_attempt_at=None).update(next_attempt_at=Now())
    Channel.objects.update(waits_until=None)
    deliver.drain()
    row.refresh_from_db()
    return row


def lost(relay):
    def after_the_work(socket, event):
        relay.keep(event)
        socket.socket.shutdown(2)
        return True

    return after_the_work


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("times", [1, 3])
def test_an_answer_lost_after_the_work_leaves_exactly_one_event(
    relay, channel, approved, by, times
):
    relay.instead = [lost(relay)] * times
    row = queue.enqueue(approved().pk, [channel.pk], by)[0].delivery
    for _ in range(times):
        assert go_on(row).status == Status.IN_DOUBT
        time.sleep(1.1 if times == 1 else 0)  # another second: were the moment not kept, another id
    assert go_on(row).status == Status.PUBLISHED, row.error_message
    assert len(relay.kind(1)) == 1
    assert len({event["id"] for _, event in relay.sent("EVENT")}) == 1


@pytest.mark.django_db(transaction=True)
def test_a_note_is_dated_when_it_is_sent_and_not_when_it_was_queued(relay, channel, approved, by):
    row = queue.enqueue(approved().pk, [channel.pk], by)[0].delivery
    Delivery.objects.update(created_at=row.created_at - timedelta(days=9))
    assert go_on(row).status == Status.PUBLISHED
    assert abs(relay.kind(1)[0]["created_at"] - time.time()) < 60


@pytest.mark.django_db(transaction=True)
def test_a_key_that_can_not_be_read_pauses_the_channel_and_sends_nothing(
    relay, channel, approved, by
):
    channel.credentials = {"key": NSEC[:-1]}
    channel.save()
    row = queue.enqueue(approved().pk, [channel.pk], by)[0].delivery
    assert go_on(row).status == Status.RETRY
    channel.refresh_from_db()
    assert "can't be read" in channel.paused_reason
    assert relay.told == []
