"""Where a letter's reader ends the subscription: no login, the address itself is the proof.

RFC 8058: a mailbox's button sends a POST; looking (GET) changes nothing, for programs that check
links look at every one.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from publishing import subscribing


@csrf_exempt  # mailboxes send no cookie, and whoever has the address may end it
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask (GET), or do it (POST)."""
    subscriber = subscribing.known(token)
    if subscriber is None:
        return render(request, "newsdesk/unsubscribe.html", {"unknown": True}, status=404)
    if request.method == "POST":
        subscribing.unsubscribe(subscriber)
        subscriber.refresh_from_db()
    answer = render(
        request,
        "newsdesk/unsubscribe.html",
        {"subscriber": subscriber, "over": subscriber.unsubscribed_at is not None},
    )
    answer["X-Robots-Tag"] = "noindex"
    answer["Referrer-Policy"] = "no-referrer"  # the address is a secret
    return answer
