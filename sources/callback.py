"""Where WebSub hubs come to: one secret address for each subscription."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from sources import websub

_LONGEST_CHALLENGE = 2000
_STATUS = {
    websub.Received.STORED: 202,
    websub.Received.IGNORED: 202,  # a forger learns nothing (§8)
    websub.Received.GONE: 410,  # the hub may end the subscription
    websub.Received.LATER: 503,
}


@csrf_exempt  # hubs are no browsers: the address and the signature are the proof
@never_cache
@require_http_methods(["GET", "POST"])
def callback(request: HttpRequest, token: str) -> HttpResponse:
    """A hub asks whether we meant it, or pushes what is new."""
    if not websub.known(token):
        return HttpResponse(status=404)
    return _pushed(request, token) if request.method == "POST" else _asked(request, token)


def _asked(request: HttpRequest, token: str) -> HttpResponse:
    said = {name: request.GET.get(f"hub.{name}", "") for name in _FIELDS}
    if said["mode"] == "denied":
        known = websub.deny(token, said["topic"], said["reason"])
        return HttpResponse(status=200 if known else 404)
    challenge = said["challenge"]
    if not 0 < len(challenge) <= _LONGEST_CHALLENGE:
        return HttpResponse(status=404)
    if not websub.confirm(token, said["mode"], said["topic"], said["lease_seconds"]):
        return HttpResponse(status=404)
    return HttpResponse(challenge, content_type="text/plain; charset=utf-8")


def _pushed(request: HttpRequest, token: str) -> HttpResponse:
    body = request.read(websub.LARGEST_PUSH + 1)
    if len(body) > websub.LARGEST_PUSH:
        return HttpResponse(status=413)
    headers = {
        "content-type": request.headers.get("Content-Type", "")[:200],
        "link": request.headers.get("Link", "")[:2000],
    }
    signature = request.headers.get("X-Hub-Signature", "")[:300]
    became = websub.receive(token, signature, headers, body)
    answer = HttpResponse(status=_STATUS[became])
    if became is websub.Received.LATER:
        answer["Retry-After"] = "120"
    return answer


_FIELDS = ("mode", "topic", "challenge", "lease_seconds", "reason")
