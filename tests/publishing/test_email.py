"""Letters to subscribers: each gets one, whatever breaks; leaving takes one click."""

import asyncio
import re
import socket
from datetime import timedelta

import pytest
from django.utils import timezone

from articles import desk, revise
from config.outbound import Client, OutboundError, from_settings
from publishing import amend, connecting, deliver, dry_run, mailing, queue, receipts, subscribing
from publishing.errors import PlatformError, Reauthorise, Refusal
from publishing.lifecycle import Status
from publishing.models import Attempt, Delivery, Letter, Subscriber
from publishing.platforms.smtp import session
from publishing.recipients import Tally
from tests.config.far_end import server_tls
from tests.publishing.post_office import post_office

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = ("alice@example.org", "bob@example.org", "charlie@example.net")


@pytest.fixture
def office():
    with post_office() as office:
        yield office


@pytest.fixture
def mail(office, channel, monkeypatch):
    """A channel to Alice, Bob and Charlie."""
    from tests.publishing import conftest

    monkeypatch.setitem(conftest.CHANNELS, "email", ("", {}))
    options = {
        "host": "localhost", "port": office.port, "security": "none",
        "sender": "news@desk.example", "sender_name": "The Desk", "form": "whole",
    }  # fmt: skip
    made = channel("email", options=options)
    subscribing.import_list(made, "\n".join(PEOPLE), agreed=True)
    return made


def fresh(delivery):
    return Delivery.objects.select_related("article").get(pk=delivery.pk)


def go_on(delivery, rounds=1):
    """Send what waits, as if the wait were over."""
    for _ in range(rounds):
        Delivery.objects.filter(pk=delivery.pk, next_attempt_at__isnull=False).update(
            next_attempt_at=timezone.now() - timedelta(seconds=1)
        )
        deliver.drain()
    return fresh(delivery)


def unused_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def received(office):
    return sorted(address for address, _letter in office.arrived)


def test_everybody_gets_one_letter_and_the_receipt_says_so(office, mail, queued):
    delivery = queued(mail)
    deliver.drain()
    assert received(office) == sorted(PEOPLE)
    sent = fresh(delivery)
    assert (sent.status, sent.remote_id) == (Status.PUBLISHED, str(delivery.marker))
    assert receipts.receipt(sent)["letters"] == {
        "sent": 3, "refused": 0, "waiting": 0, "in_doubt": 0,
    }  # fmt: skip


def test_a_letter_has_words_markup_and_a_way_out_by_one_click(office, mail, queued, settings):
    settings.PUBLIC_URL = "https://desk.example"
    delivery = queued(
        mail, title="Fähre fährt", content="<p>It <b>sails</b>.</p><p>.</p>", summary="At last."
    )
    deliver.drain()
    [letter] = office.to("alice@example.org")
    alice = Subscriber.objects.get(address="alice@example.org")
    assert letter["Subject"] == "Fähre fährt"
    assert letter["From"] == "The Desk <news@desk.example>"
    assert letter["List-Unsubscribe"] == f"<https://desk.example/unsubscribe/{alice.token}/>"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter["Message-ID"].strip().startswith(f"<{delivery.marker}.")
    assert alice.token[:8] not in letter["Message-ID"]
    words, markup = (letter.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert "It sails.\r\n\r\n.\r\n" in words  # a dot alone would end the letter
    assert "<b>sails</b>" in markup
    assert alice.token in words
    assert alice.token in markup


def test_what_mailboxes_read_by_its_letter_is_neither_folded_nor_encoded(
    office, mail, queued, settings
):
    settings.PUBLIC_URL = "https://a-rather-long-name-of-a-desk.example.org/newsdesk"
    delivery = queued(mail)
    deliver.drain()
    _who, raw = office.raw[0]
    alice = Subscriber.objects.get(address="alice@example.org")
    way_out = f"{settings.PUBLIC_URL}/unsubscribe/{alice.token}/"
    assert f"\r\nList-Unsubscribe: <{way_out}>\r\n".encode() in raw
    assert re.search(
        rb"\r\nMessage-ID: <%b\.\w+@desk\.example>\r\n" % str(delivery.marker).encode(), raw
    )


def test_no_two_letters_have_one_number(office, mail, queued):
    queued(mail)
    deliver.drain()
    assert len({letter["Message-ID"] for _who, letter in office.arrived}) == 3


def test_a_line_that_broke_after_the_letter_is_not_tried_again_by_the_desk(office, mail, queued):
    office.loses = {"bob@example.org"}
    delivery = queued(mail)
    deliver.drain()
    assert fresh(delivery).status == Status.IN_DOUBT
    asked = go_on(delivery, 3)
    assert received(office) == sorted(PEOPLE)
    assert (asked.status, asked.next_attempt_at) == (Status.IN_DOUBT, None)
    assert "1 may be" in asked.error_message


def test_to_send_again_sends_only_what_was_in_doubt(office, mail, queued, by):
    office.loses = {"bob@example.org"}
    delivery = queued(mail)
    deliver.drain()
    go_on(delivery, 2)
    queue.send_again(delivery.pk, by)
    assert go_on(delivery).status == Status.PUBLISHED
    assert [len(office.to(each)) for each in PEOPLE] == [1, 2, 1]
    first, second = office.to("bob@example.org")
    assert first["Message-ID"] == second["Message-ID"]
    assert first.as_bytes() == second.as_bytes()


def test_a_worker_that_died_in_the_middle_leaves_one_letter_in_doubt(office, mail, queued):
    """What is on record as leaving was perhaps sent; all others go out, once."""
    delivery = queued(mail)
    rows = [
        Letter(delivery=delivery, subscriber=each, state=state, attempt=1)
        for each, state in zip(
            Subscriber.objects.order_by("address"), ("sent", "sending", "waiting"), strict=True
        )
    ]
    Letter.objects.bulk_create(rows)
    Letter.objects.filter(state="waiting").update(attempt=0)
    Attempt.objects.create(
        delivery=delivery, number=1, token=delivery.marker, marker=delivery.marker,
        payload_hash="x", deadline=timezone.now(), outcome="unknown",
    )  # fmt: skip
    Delivery.objects.filter(pk=delivery.pk).update(
        status=Status.IN_DOUBT, attempts=1, next_attempt_at=timezone.now()
    )
    go_on(delivery)
    assert received(office) == ["charlie@example.net"]
    assert mailing.tally(delivery) == Tally(sent=2, in_doubt=1)


def test_a_mailbox_that_is_not_there_stops_nobody_elses_letter(office, mail, queued):
    office.said_at_rcpt = {"alice@example.org": "550 5.1.1 No such user"}
    for number in range(3):
        queued(mail, title=f"Number {number}")
    for _ in range(4):
        deliver.drain()
    assert len(office.to("bob@example.org")) == 3
    alice = Subscriber.objects.get(address="alice@example.org")
    assert (alice.refusals, alice.refused_with) == (3, "550 5.1.1 No such user")
    assert not Subscriber.objects.active().filter(pk=alice.pk).exists()


def test_a_letter_that_is_put_off_goes_out_later_and_the_others_are_not_repeated(
    office, mail, queued
):
    office.said_at_rcpt = {"alice@example.org": "451 4.7.1 Greylisted"}
    delivery = queued(mail)
    deliver.drain()
    waiting = fresh(delivery)
    assert waiting.status == Status.RETRY
    assert waiting.next_attempt_at > timezone.now() + timedelta(minutes=5)
    office.said_at_rcpt = {}
    assert go_on(delivery).status == Status.PUBLISHED
    assert received(office) == sorted(PEOPLE)


def test_a_mailbox_that_puts_off_for_ever_is_given_up_and_the_mailing_ends(office, mail, queued):
    office.said_at_rcpt = {"alice@example.org": "451 4.7.1 Greylisted"}
    delivery = queued(mail)
    deliver.drain()
    assert go_on(delivery, 5).status == Status.PUBLISHED
    assert mailing.tally(delivery) == Tally(sent=2, refused=1)


def test_a_server_that_ends_sessions_early_is_called_again(office, mail, queued):
    subscribing.import_list(mail, "\n".join(f"p{n}@example.org" for n in range(17)), agreed=True)
    office.most_in_a_session = 2
    delivery = queued(mail)
    deliver.drain()
    assert go_on(delivery, 11).status == Status.PUBLISHED
    assert len(office.arrived) == len(set(received(office))) == 20
    assert office.sessions >= 10


def test_letters_that_nobody_takes_for_what_they_say_fail_early(office, mail, queued):
    subscribing.import_list(mail, "\n".join(f"p{n}@example.org" for n in range(9)), agreed=True)
    office.said_at_data = "554 5.7.1 Looks like spam"
    delivery = queued(mail)
    deliver.drain()
    failed = fresh(delivery)
    assert failed.status == Status.FAILED
    assert "spam" in failed.error_message
    assert Letter.objects.filter(state="refused").count() == 3
    assert Subscriber.objects.filter(refusals=0).count() == 12


def test_whoever_leaves_before_their_letter_gets_none(office, mail, queued):
    office.said_at_rcpt = {"alice@example.org": "451 later"}
    delivery = queued(mail)
    deliver.drain()
    subscribing.unsubscribe(Subscriber.objects.get(address="alice@example.org"))
    office.said_at_rcpt = {}
    assert go_on(delivery).status == Status.PUBLISHED
    assert not office.to("alice@example.org")


def test_a_list_with_nobody_on_it_is_said_before_it_is_queued(mail, approved, by):
    Subscriber.objects.update(confirmed_at=None)
    [told] = queue.enqueue(approved().pk, [mail.pk], by)
    assert "Nobody would get it" in told.problem


def test_a_list_that_everybody_has_left_since_is_said(office, mail, queued):
    delivery = queued(mail)
    Subscriber.objects.update(unsubscribed_at=timezone.now())
    deliver.drain()
    assert fresh(delivery).status == Status.FAILED
    assert "Nobody has subscribed" in fresh(delivery).error_message


def test_the_preview_says_how_many_get_it(mail, approved):
    story = approved()
    [trial] = dry_run.dry_run(story, story.approved_revision, [mail], timezone.now())
    assert "Goes to 3 subscribers." in trial.preview.remarks


def test_a_withdrawal_is_told_to_those_who_got_the_letter(office, mail, queued, by):
    delivery = queued(mail)
    deliver.drain()
    subscribing.import_list(mail, "dora@example.org", agreed=True)
    office.arrived.clear()
    desk.perform(delivery.article_id, "kill", by, reason="It was wrong.")
    amend.withdraw()
    deliver.drain()
    assert received(office) == sorted(PEOPLE)
    [letter] = office.to("alice@example.org")
    assert letter["Subject"].startswith("Withdrawn: ")
    assert letter["In-Reply-To"].strip().startswith(f"<{delivery.marker}.")
    assert letter["Message-ID"] != letter["In-Reply-To"]


def test_a_correction_is_a_letter_of_its_own(office, mail, queued, by):
    delivery = queued(mail)
    deliver.drain()
    office.arrived.clear()
    story = fresh(delivery).article
    desk.perform(story.pk, "correct", by, reason="It is another ferry.")
    story.refresh_from_db()
    revise.save(story.pk, by, story.version, {"title": "Another ferry"})
    desk.submit(story.pk, by)
    desk.approve(story.pk, by)
    queue.enqueue(story.pk, [mail.pk], by)
    deliver.drain()
    [letter] = office.to("bob@example.org")
    assert letter["Subject"] == "Correction: Another ferry"


# --- the server's door ---


def test_a_private_mail_server_is_refused_unless_it_is_allowed(office, mail, queued, settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    delivery = queued(mail)
    deliver.drain()
    assert office.sessions == 0
    assert "private" in fresh(delivery).error_message


@pytest.mark.parametrize("port", [6379, 5432, 22])
def test_a_port_of_something_else_is_no_mail_server(mail, port):
    with pytest.raises(PlatformError, match="Port"):
        connecting.test("email", mail.options | {"port": port}, {})


@pytest.mark.parametrize("host", ["localhost/x", "a@localhost", "local host", "127.1"])
def test_a_host_must_be_a_name(mail, host):
    with pytest.raises(PlatformError):
        connecting.test("email", mail.options | {"host": host}, {})


def test_a_password_never_goes_in_the_clear(mail):
    with pytest.raises(Refusal, match="in the clear"):
        connecting.test("email", mail.options, {"user": "desk", "password": "pw"})


def test_a_server_without_starttls_is_not_trusted(office, mail):
    with pytest.raises(Reauthorise, match="STARTTLS"):
        connecting.test("email", mail.options | {"security": "starttls"}, {})


def test_a_connection_that_works_is_confirmed_in_words(office, mail):
    assert connecting.test("email", mail.options, {}) == "The mail server localhost lets us in."


def test_nobody_at_home_is_no_doubt(mail):
    with pytest.raises(PlatformError, match="Nothing answers"):
        connecting.test("email", mail.options | {"port": unused_port()}, {})


@pytest.mark.parametrize(
    ("name", "password", "error"),
    [("localhost", "pw", None), ("localhost", "no", Reauthorise), ("elsewhere", "pw", Exception)],
)
def test_a_sign_in_goes_through_starttls_to_the_right_server_only(tmp_path, name, password, error):
    import ssl

    tls, authority = server_tls(tmp_path, name)
    trusted = ssl.create_default_context(cadata=authority)

    async def go(port):
        options = {"host": "localhost", "port": port, "sender": "news@desk.example"}
        secrets = {"user": "desk", "password": password}
        async with (
            Client(from_settings(), tls=trusted) as http,
            session(options, secrets, http) as server,
        ):
            return await server.take("alice@example.org", b"Subject: x\r\n\r\nx\r\n")

    with post_office(tls) as office:
        if error is None:
            assert asyncio.run(go(office.port))[0] == "sent"
            assert len(office.arrived) == 1
        else:
            with pytest.raises(error) as problem:
                asyncio.run(go(office.port))
            assert isinstance(problem.value, PlatformError | OutboundError)
            assert not office.arrived
