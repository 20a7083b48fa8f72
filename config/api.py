"""What every part of the API shares: JSON in and out, pages, and problems in one form."""

import logging
from collections.abc import Mapping
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, parsers, permissions, renderers, serializers, status, views
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from articles import errors

logger = logging.getLogger(__name__)
_DEEPEST = 50  # levels of JSON; no body of ours needs a tenth of it


class OrjsonRenderer(renderers.BaseRenderer):
    """JSON by orjson. A problem goes out as `application/problem+json` (RFC 9457)."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The bytes of `data`; none for an empty answer."""
        if data is None:
            return b""
        return orjson.dumps(data, default=str, option=orjson.OPT_UTC_Z)


class StrictJSONParser(parsers.JSONParser):
    """JSON that can be stored: no NUL, no lone surrogate, no monstrous depth or number."""

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The body's value; raises `ParseError` with what is wrong."""
        body = stream.read()
        if _depth(body) > _DEEPEST:
            raise exceptions.ParseError(f"The JSON is nested deeper than {_DEEPEST} levels.")
        try:
            return _without_nul(orjson.loads(body))
        except orjson.JSONDecodeError as problem:
            raise exceptions.ParseError(f"The body is not JSON: {problem}.") from None


class NewestFirst(CursorPagination):
    """Pages by key, not by offset: page 2,000 costs what page 1 costs, and inserts move nothing."""

    ordering = ("-created_at", "-id")
    page_size_query_param = "page_size"
    max_page_size = 100


class ProblemSerializer(serializers.Serializer[Any]):
    """A problem, RFC 9457."""

    type = serializers.CharField(help_text="What kind of problem; stable, for programs.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="For a person: what is wrong and what to do.")
    errors = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="Per field, what is wrong with it.",
    )


class Refused(exceptions.APIException):
    """An act that the desk refused, as the API says it."""

    def __init__(self, refusal: errors.DeskError) -> None:
        self.status_code = _DESK_STATUS.get(refusal.code, status.HTTP_409_CONFLICT)
        super().__init__(str(refusal), refusal.code)
        self.refusal = refusal


_DESK_STATUS = {
    errors.NotAllowed.code: status.HTTP_403_FORBIDDEN,
    errors.WrongState.code: status.HTTP_409_CONFLICT,
    errors.StaleVersion.code: status.HTTP_409_CONFLICT,
    errors.NeedsReason.code: status.HTTP_400_BAD_REQUEST,
    errors.Incomplete.code: status.HTTP_400_BAD_REQUEST,
}
_TITLES = {
    status.HTTP_400_BAD_REQUEST: "The request can't be understood",
    status.HTTP_401_UNAUTHORIZED: "Who are you?",
    status.HTTP_403_FORBIDDEN: "Not allowed",
    status.HTTP_404_NOT_FOUND: "Not found",
    status.HTTP_405_METHOD_NOT_ALLOWED: "Method not allowed",
    status.HTTP_406_NOT_ACCEPTABLE: "Only JSON is spoken here",
    status.HTTP_409_CONFLICT: "Conflict",
    status.HTTP_415_UNSUPPORTED_MEDIA_TYPE: "Only JSON is understood here",
    status.HTTP_422_UNPROCESSABLE_ENTITY: "Nothing could be done",
    status.HTTP_429_TOO_MANY_REQUESTS: "Too many requests",
}


def problem(raised: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's exception handler: every refusal as problem JSON. The unexpected stays loud (None)."""
    raised = _known(raised)
    if not isinstance(raised, exceptions.APIException):
        return None
    body: dict[str, Any] = {
        "type": f"urn:newsdesk:{_code(raised)}",
        "title": _TITLES.get(raised.status_code, "Problem"),
        "status": raised.status_code,
    }
    if isinstance(raised, exceptions.ValidationError):
        body["errors"] = _by_field(raised.detail)
        body["detail"] = " ".join(each for list_ in body["errors"].values() for each in list_)
    else:
        body["detail"] = str(raised.detail)
    if isinstance(raised, Refused):
        if isinstance(raised.refusal, errors.Incomplete):
            body["errors"] = {name: [words] for name, words in raised.refusal.problems.items()}
        if isinstance(raised.refusal, errors.StaleVersion):
            body["version"] = raised.refusal.current.version
    headers = {}
    if isinstance(raised, exceptions.Throttled) and raised.wait is not None:
        headers["Retry-After"] = str(max(1, round(raised.wait + 0.5)))
    if isinstance(raised, exceptions.AuthenticationFailed | exceptions.NotAuthenticated):
        headers["WWW-Authenticate"] = getattr(raised, "auth_header", None) or "Bearer"
    views.set_rollback()
    return Response(
        body, raised.status_code, headers=headers, content_type="application/problem+json"
    )


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


def _known(raised: Exception) -> Exception:
    """The exceptions of Django and of the desk, as the API's."""
    if isinstance(raised, errors.DeskError):
        return Refused(raised)
    if isinstance(raised, Http404):
        return exceptions.NotFound("There is nothing here by that number.")
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
    if isinstance(detail, dict):
        return {
            key: words
            for field, inner in detail.items()
            for key, words in _by_field(inner, f"{name}.{field}" if name else str(field)).items()
        }
    if isinstance(detail, list) and any(isinstance(each, dict | list) for each in detail):
        return {
            key: words
            for index, inner in enumerate(detail)
            for key, words in _by_field(inner, f"{name}.{index}").items()
        }
    return {
        name or "body": [str(each) for each in detail]
        if isinstance(detail, list)
        else [str(detail)]
    }


def _depth(body: bytes) -> int:
    """How deep the brackets go; brackets inside strings are not counted."""
    depth = deepest = 0
    in_string = escaped = False
    for byte in body:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _without_nul(value: Any) -> Any:
    if isinstance(value, str) and "\x00" in value:
        raise exceptions.ParseError("A text holds the character NUL, which can't be stored.")
    if isinstance(value, list):
        for each in value:
            _without_nul(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            _without_nul(key)
            _without_nul(each)
    return value
