"""What every part of the API shares: problems in one form, and who may read."""

from collections.abc import Mapping
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, ValidationError
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.views import defaults
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import exceptions, permissions, serializers, status, views
from rest_framework.request import Request

from articles import errors

_DESK_STATUS = {
    errors.NotAllowed.code: status.HTTP_403_FORBIDDEN,
    errors.WrongState.code: status.HTTP_409_CONFLICT,
    errors.StaleVersion.code: status.HTTP_409_CONFLICT,
    errors.NeedsReason.code: status.HTTP_400_BAD_REQUEST,
    errors.Incomplete.code: status.HTTP_400_BAD_REQUEST,
}
_TITLES = {
    400: "The request is not in order",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Only JSON is spoken here",
    409: "Conflict",
    413: "Too large",
    415: "Only JSON is understood here",
    422: "Nothing could be done",
    429: "Too many requests",
    500: "An error of ours",
    503: "Not now",
}
_MEANINGS = {
    400: "Something in the request is wrong; `errors` names the fields. Nothing was changed.",
    401: "No token, or one that is not good any more.",
    403: "The person lacks the right. Nothing was changed.",
    404: "There is nothing by that number.",
    409: "The article has changed since, or its state does not allow this. Nothing was changed.",
    413: "The body is larger than any story needs.",
    422: "No channel took the story; `detail` gives each one's reason. Nothing was written.",
    429: "Too many requests; `Retry-After` gives the seconds to wait.",
    503: "Something that this needs is down for the moment.",
}
_SAMPLES: dict[int, tuple[str, str, dict[str, Any]]] = {
    400: ("invalid", "title: This field may not be blank.",
          {"errors": {"title": ["This field may not be blank."]}}),
    401: ("not_authenticated", "Authentication credentials were not provided.", {}),
    403: ("not_allowed", "You don't have the right to approve stories.", {}),
    404: ("not_found", "There is nothing at this address.", {}),
    409: ("stale_version", "Somebody saved this after you had opened it.", {"version": 4}),
    413: ("too_large", "A body may have 5,242,880 bytes.", {}),
    422: ("nothing_queued", "Our blog is switched off.", {}),
    429: ("throttled", "Request was throttled. Expected available in 7 seconds.", {}),
    503: ("unavailable", "The second factor can't be checked for the moment.", {}),
}  # fmt: skip


class ProblemSerializer(serializers.Serializer[Any]):
    """A problem, RFC 9457."""

    type = serializers.CharField(help_text="What kind of problem; stable, for programs.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="For a person: what is wrong and what to do.")
    errors = serializers.DictField(  # type: ignore[assignment]  # RFC 9457's common extension
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="Per field, what is wrong with it.",
    )
    version = serializers.IntegerField(
        required=False, help_text="With a conflict of versions: the one that stands now."
    )


class Body(serializers.Serializer[Any]):
    """The body of a request, every field of it known.

    A field that nobody knows is refused: in silence `publish_at` for `scheduled_at` would send a
    story out at once.
    """

    def to_internal_value(self, data: Any) -> Any:
        """The checked values; raises `ValidationError` that names what is unknown."""
        if isinstance(data, Mapping):
            known = [name for name, field in self.fields.items() if not field.read_only]
            unknown = [str(name)[:60] for name in data if name not in known][:20]
            if unknown:
                there_are = ", ".join(known)
                raise serializers.ValidationError(
                    {name: [f"There is no such field; there are {there_are}."] for name in unknown}
                )
        return super().to_internal_value(data)


def problems(*codes: int) -> dict[tuple[int, str], OpenApiResponse]:
    """For an endpoint's schema: the problems it may answer with, by status code."""
    return {
        (code, "application/problem+json"): OpenApiResponse(
            ProblemSerializer,
            _MEANINGS[code],
            [OpenApiExample(_TITLES[code], _body(code, *_SAMPLES[code]), status_codes=[str(code)])],
        )
        for code in codes
    }


def problem(raised: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """DRF's exception handler: every refusal as problem JSON.

    None for what nobody foresaw: that is raised on, logged, and answered by `server_error`.
    """
    raised = _known(raised)
    if not isinstance(raised, exceptions.APIException):
        return None
    views.set_rollback()
    more = {}
    detail = str(raised.detail)
    if isinstance(raised, exceptions.ValidationError):
        more["errors"] = fields = _by_field(raised.detail)
        detail = " ".join(
            f"{field}: {words}" if field != _BODY else words
            for field, sentences in fields.items()
            for words in sentences
        )
    if isinstance(raised, Refused):
        more |= raised.more()
    answer = _answer(raised.status_code, _code(raised), detail, **more)
    wait = getattr(raised, "wait", None)  # of Throttled, in whole seconds, rounded up
    if wait is not None:
        answer["Retry-After"] = str(wait)
    if isinstance(raised, exceptions.AuthenticationFailed | exceptions.NotAuthenticated):
        answer["WWW-Authenticate"] = getattr(raised, "auth_header", None) or "Bearer"
    return answer


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400, for requests refused before they reach an endpoint."""
    if not _is_api(request):
        return defaults.bad_request(request, exception)
    return _answer(400, "bad_request", "The request was refused as unsafe.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: a program gets JSON; what happened is in the log, not in the answer."""
    if not _is_api(request):
        return defaults.server_error(request)
    return _answer(500, "error", "This is our fault, and it is on the log.")


class Refused(exceptions.APIException):
    """An act that the desk refused, as the API says it."""

    def __init__(self, refusal: errors.DeskError) -> None:
        self.status_code = _DESK_STATUS.get(refusal.code, status.HTTP_409_CONFLICT)
        super().__init__(str(refusal), refusal.code)
        self.refusal = refusal

    def more(self) -> dict[str, Any]:
        """What a program can go by, besides the sentence."""
        match self.refusal:
            case errors.Incomplete(problems=by_field):
                return {"errors": {name: [words] for name, words in by_field.items()}}
            case errors.StaleVersion(current=current):
                return {"version": current.version}
        return {}


class TooLarge(exceptions.APIException):
    """More was sent than any text of the desk needs."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class NoSuchAddress(views.APIView):
    """Answers an unknown address under /api/ in the API's own form."""

    permission_classes = (permissions.AllowAny,)

    @extend_schema(exclude=True)
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse before anything else."""
        raise exceptions.NotFound("There is no such address in the API; see /api/docs/.")


class ModelRights(permissions.BasePermission):
    """Reading needs the model's view right, as in the console."""

    message = "You don't have the right to read this."

    def has_permission(self, request: Request, view: views.APIView) -> bool:
        """Whether this person may read rows of the view's model."""
        queryset: models.QuerySet[Any] = view.queryset  # type: ignore[attr-defined]
        opts = queryset.model._meta
        return bool(
            request.user.is_authenticated
            and request.user.has_perm(f"{opts.app_label}.view_{opts.model_name}")
        )


_BODY = "body"  # what a sentence is about that is about no single field


def _answer(code: int, kind: str, detail: str, **more: Any) -> HttpResponse:
    # Not DRF's Response: a problem is JSON whatever the endpoint or the client prefers.
    body = orjson.dumps(_body(code, kind, detail, more))
    return HttpResponse(body, status=code, content_type="application/problem+json")


def _body(code: int, kind: str, detail: str, more: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": f"urn:newsdesk:{kind}",
        "title": _TITLES.get(code, "Problem"),
        "status": code,
        "detail": detail,
        **more,
    }


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def _known(raised: Exception) -> Exception:
    """The exceptions of Django and of the desk, as the API's."""
    if isinstance(raised, errors.DeskError):
        return Refused(raised)
    if isinstance(raised, Http404):
        return exceptions.NotFound("There is nothing at this address.")
    if isinstance(raised, RequestDataTooBig):
        return TooLarge(f"A body may have {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes.")
    if isinstance(raised, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(raised, ValidationError):
        return exceptions.ValidationError(serializers.as_serializer_error(raised))
    return raised


def _code(raised: exceptions.APIException) -> str:
    codes = raised.get_codes()
    return codes if isinstance(codes, str) else "invalid"


def _by_field(detail: Any, name: str = "") -> dict[str, list[str]]:
    """Nested error details as one list of sentences per dotted field name."""
    if isinstance(detail, list) and any(isinstance(each, dict | list) for each in detail):
        detail = dict(enumerate(detail))
    if not isinstance(detail, dict):
        words = detail if isinstance(detail, list) else [detail]
        return {name or _BODY: [str(each) for each in words]}
    fields: dict[str, list[str]] = {}
    for key, inner in detail.items():
        about_all = key in ("non_field_errors", "__all__")
        dotted = name if about_all else f"{name}.{key}".removeprefix(".")
        fields |= _by_field(inner, dotted)
    return fields
