"""What every part of the API shares: problems in one form, and who may read."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, permissions, serializers, status, views
from rest_framework.request import Request
from rest_framework.response import Response

from articles import errors


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
    wait = getattr(raised, "wait", None)  # of Throttled
    if wait is not None:
        headers["Retry-After"] = str(max(1, round(wait + 0.5)))
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
