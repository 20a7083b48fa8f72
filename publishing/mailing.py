"""A delivery's letters, one row each, so that what goes on later goes only to whom it has not gone.

A row says "sending" before the letter leaves. One that still says so afterwards is in doubt: the
desk never sends it again by itself. When a person answers that it is not there, it waits anew.
"""

import hashlib

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.urls import reverse

from publishing import claim
from publishing.claim import Claim
from publishing.models import Attempt, Delivery, Letter, Subscriber
from publishing.recipients import Ending, Recipient, Tally

_MOST_TRIES = 5  # at a server that puts a letter off
_AT_ONCE = 2000  # rows
_States, _Outcomes = Letter.States, Attempt.Outcomes
_BECOMES = {
    Ending.SENT: _States.SENT,
    Ending.REFUSED: _States.REFUSED,
    Ending.NO_SUCH: _States.REFUSED,
    Ending.PUT_OFF: _States.WAITING,
    Ending.NOT_BEGUN: _States.WAITING,
    Ending.IN_DOUBT: _States.SENDING,
}


class Mailing:
    """The letters of one attempt at a delivery (`publishing.recipients.Recipients`)."""

    def __init__(self, claimed: Claim, delivery: Delivery, number: int) -> None:
        self._claim = claimed
        self._delivery = delivery
        self._number = number
        self._prepared = False

    async def next(self) -> Recipient | None:
        """Who is next; None when nobody is left for this attempt."""
        return await sync_to_async(self._next)()

    async def ended(self, recipient: Recipient, ending: Ending, said: str = "") -> None:
        """Write down what became of the letter: the truth, whoever holds the claim by now."""
        await sync_to_async(self._ended)(recipient, ending, said)

    async def tally(self) -> Tally:
        """All letters of the delivery."""
        return await sync_to_async(tally)(self._delivery)

    def _next(self) -> Recipient | None:
        if not self._prepared:
            _prepare(self._claim, self._delivery, self._number)
            self._prepared = True
        while True:
            with transaction.atomic():
                claim.renew(self._claim)
                letter = (
                    Letter.objects.select_related("subscriber")
                    .filter(
                        delivery=self._delivery, state=_States.WAITING, attempt__lt=self._number
                    )
                    .order_by("id")
                    .first()
                )
                if letter is None:
                    return None
                letter.attempt = self._number
                letter.tries += 1
                wanted = Subscriber.objects.active().filter(pk=letter.subscriber_id).exists()
                letter.state = _States.SENDING if wanted else _States.SKIPPED
                letter.save(update_fields=["attempt", "tries", "state"])
            if wanted:
                return _recipient(letter)

    def _ended(self, recipient: Recipient, ending: Ending, said: str) -> None:
        with transaction.atomic():
            letter = Letter.objects.select_for_update().get(pk=recipient.number)
            letter.state, letter.said = _BECOMES[ending], said.replace("\x00", "")[:500]
            if ending is Ending.PUT_OFF and letter.tries >= _MOST_TRIES:
                letter.state = _States.REFUSED
            if ending is Ending.NOT_BEGUN:
                letter.tries -= 1
            letter.ended_at = Now()
            letter.save(update_fields=["state", "said", "ended_at", "tries"])
            who = Subscriber.objects.filter(pk=letter.subscriber_id)
            if ending is Ending.SENT:
                who.exclude(refusals=0).update(refusals=0, refused_with="")
            elif ending is Ending.NO_SUCH:
                count = letter.subscriber.refusals + 1
                who.update(refusals=count, refused_with=letter.said[:300])


def tally(delivery: Delivery) -> Tally:
    """How far a mailing has come."""
    counted = Letter.objects.filter(delivery=delivery).aggregate(
        sent=Count("id", filter=Q(state=_States.SENT)),
        refused=Count("id", filter=Q(state=_States.REFUSED)),
        waiting=Count("id", filter=Q(state=_States.WAITING)),
        in_doubt=Count("id", filter=Q(state=_States.SENDING)),
    )
    return Tally(**counted)


def _prepare(claimed: Claim, delivery: Delivery, number: int) -> None:
    """A row for everybody who gets it, all or none; and what a person has answered."""
    with transaction.atomic():
        claim.renew(claimed)
        letters = Letter.objects.filter(delivery=delivery)
        if not letters.exists():
            rows = (
                Letter(delivery=delivery, subscriber_id=pk)
                for pk in _wanted(delivery).order_by("pk").values_list("pk", flat=True)
            )
            Letter.objects.bulk_create(rows, batch_size=_AT_ONCE)
        if _said_to_be_absent(delivery, number):
            letters.filter(state=_States.SENDING).update(state=_States.WAITING)


def _wanted(delivery: Delivery) -> "QuerySet[Subscriber]":
    """Who gets it: a note on an earlier mailing goes to those who got that one."""
    active = Subscriber.objects.readers(delivery.channel_id)
    if delivery.of_id is None:
        return active
    got = Letter.objects.filter(delivery_id=delivery.of_id, state__in=("sent", "sending"))
    return active.filter(pk__in=got.values("subscriber_id"))


def _said_to_be_absent(delivery: Delivery, number: int) -> bool:
    tries = delivery.tries.exclude(number=number)
    open_still = tries.filter(outcome__in=(_Outcomes.OPEN, _Outcomes.UNKNOWN))
    return tries.filter(outcome=_Outcomes.ABSENT).exists() and not open_still.exists()


def _recipient(letter: Letter) -> Recipient:
    token = letter.subscriber.token
    path = reverse("unsubscribe", args=(token,))
    return Recipient(
        number=letter.pk,
        address=letter.subscriber.address,
        mark=hashlib.sha256(token.encode()).hexdigest()[:16],
        unsubscribe_url=f"{settings.PUBLIC_URL.rstrip('/')}{path}",
    )
