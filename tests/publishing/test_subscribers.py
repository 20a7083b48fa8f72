"""Who is on a list: lists brought in, one click out, and the console's pages."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from publishing import subscribing
from publishing.models import Channel, Subscriber

pytestmark = pytest.mark.django_db


@pytest.fixture
def mail():
    return Channel.objects.create(name="Letters", platform="email", credentials={})


@pytest.fixture
def alice(mail):
    subscribing.import_list(mail, "alice@example.org", agreed=True)
    return Subscriber.objects.get()


def addresses(**wanted):
    return sorted(Subscriber.objects.filter(**wanted).values_list("address", flat=True))


# --- lists ---


@pytest.mark.parametrize(
    "text",
    [
        "alice@example.org\nbob@example.org",
        "\ufeffAlice@Example.org\r\n\r\n  <bob@example.org> \r\n",
        "name,email\nAlice,alice@example.org\nBob,bob@example.org\n",
        'Name;E-Mail\n"A; B";alice@example.org\nBob;bob@example.org',
        "alice@example.org,Alice\nbob@example.org,Bob\nALICE@example.org,Alice again",
    ],
)
def test_a_list_comes_in_however_it_is_written(mail, text):
    assert subscribing.import_list(mail, text, agreed=True).added == 2
    assert addresses() == ["alice@example.org", "bob@example.org"]


def test_a_list_brought_in_twice_adds_nobody_and_brings_nobody_back(mail, alice):
    subscribing.unsubscribe(alice)
    told = subscribing.import_list(mail, "alice@example.org\nbob@example.org", agreed=True)
    assert (told.added, told.left, told.known) == (1, 1, 0)
    assert [each.address for each in Subscriber.objects.active()] == ["bob@example.org"]
    assert subscribing.import_list(mail, "bob@example.org", agreed=True).known == 1


def test_lines_that_hold_no_address_are_named(mail):
    told = subscribing.import_list(
        mail, "alice@example.org\nnobody\na@b\nx@y.org\r\nBcc: z@y.org", agreed=True
    )
    assert (told.added, told.bad_in_all) == (2, 3)
    assert "line 2 ('nobody')" in told.sentence


def test_a_domain_in_other_letters_is_kept_in_ascii(mail):
    subscribing.import_list(mail, "info@bücher.example", agreed=True)
    assert addresses() == ["info@xn--bcher-kva.example"]


def test_whoever_has_not_agreed_gets_nothing_until_confirmed(mail):
    subscribing.import_list(mail, "alice@example.org", agreed=False)
    assert not Subscriber.objects.active()
    subscribing.confirm(Subscriber.objects.get().pk)
    assert Subscriber.objects.active()


# --- one click out ---


def test_looking_at_the_address_changes_nothing(client, alice):
    page = client.get(f"/unsubscribe/{alice.token}/")
    assert "alice@example.org" in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert page["Referrer-Policy"] == "no-referrer"
    assert Subscriber.objects.active()


def test_a_mailboxs_button_ends_it_without_a_login_or_a_cookie(alice):
    """RFC 8058 §3.1: a POST of this very form, and nothing else."""
    mailbox = Browser(enforce_csrf_checks=True)
    answer = mailbox.post(
        f"/unsubscribe/{alice.token}/", "List-Unsubscribe=One-Click",
        content_type="application/x-www-form-urlencoded",
    )  # fmt: skip
    assert answer.status_code == 200
    assert not Subscriber.objects.active()


def test_a_second_click_is_the_same(client, alice):
    client.post(f"/unsubscribe/{alice.token}/")
    first = Subscriber.objects.get().unsubscribed_at
    assert "You are unsubscribed" in client.post(f"/unsubscribe/{alice.token}/").content.decode()
    assert Subscriber.objects.get().unsubscribed_at == first


def test_an_address_that_is_not_known_ends_nothing(client, alice):
    answer = client.post(f"/unsubscribe/{alice.token[:-1]}/")
    assert answer.status_code == 404
    assert Subscriber.objects.active()


# --- the console ---


def test_an_administrator_brings_a_list_in(client, ada, mail):
    client.force_login(ada)
    page = client.get("/admin/publishing/subscriber/import/")
    assert page.status_code == 200
    file = SimpleUploadedFile("people.csv", "email\nalice@example.org\nx".encode("cp1252"))
    sent = {"channel": mail.pk, "file": file, "agreed": "on", "note": "Fair 2026"}
    answer = client.post("/admin/publishing/subscriber/import/", sent, follow=True)
    assert "1 added, 1 line holds no address" in answer.content.decode()
    assert addresses(note="Fair 2026") == ["alice@example.org"]


def test_an_editor_sees_no_addresses(client, edda, mail, alice):
    client.force_login(edda)
    for path in ("", "import/", "csv/", f"{alice.pk}/change/"):
        assert client.get(f"/admin/publishing/subscriber/{path}").status_code == 403


def test_an_administrator_adds_and_looks_after_one(client, ada, mail):
    client.force_login(ada)
    sent = {"channel": mail.pk, "address": "Alice@Example.org", "note": ""}
    client.post("/admin/publishing/subscriber/add/", sent)
    alice = Subscriber.objects.get()
    assert (alice.address, Subscriber.objects.active().count()) == ("alice@example.org", 1)
    listed = client.get("/admin/publishing/subscriber/").content.decode()
    assert "Gets letters" in listed
    assert client.get(f"/admin/publishing/subscriber/{alice.pk}/change/").status_code == 200
    file = b"".join(client.get("/admin/publishing/subscriber/csv/").streaming_content).decode()
    assert '"alice@example.org","Letters","Gets letters"' in file


@pytest.mark.parametrize("tab", ["active", "waits", "refused", "left", "all"])
def test_every_tab_opens(client, ada, alice, tab):
    client.force_login(ada)
    assert client.get(f"/admin/publishing/subscriber/?standing={tab}").status_code == 200
