"""Tokens for programs: a short access token and a refresh token that is good once.

On django-allauth's headless JWTs, whose tokens stand for a session in the database: a changed
password, a deactivated account or a logout ends them at once. Its own refresh lets several
requests at the same time win (5 to 12 of 12 were measured), so ours takes the session's row lock
first. A refresh token that comes a second time has been copied: its session ends, unless it comes
within moments of its first use, as when a front end refreshes in two tabs.
"""

import time
from typing import Any

from allauth.headless.tokens.strategies.jwt import internal as jwt
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    authenticate,
    user_logged_in,
)
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from redis import RedisError
from rest_framework import exceptions, permissions, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from config.api import Body, problems
from config.limits import take

SIGN_INS_PER_MINUTE = 10
"""Tries per account and per address."""
_SAME_MOMENT = 10.0  # seconds in which a second use of a refresh token is a race, not a theft
_KEPT_NOWHERE = {"Cache-Control": "no-store"}  # RFC 6749, 5.1
_USED_LAST = "newsdesk_refresh_token_used_last"  # the session's key for [jti, when]


class SignInSerializer(Body):
    """What a program signs in with."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False)
    code = serializers.CharField(
        required=False, max_length=50, help_text="The second factor, where the account has one."
    )


class RefreshSerializer(Body):
    """A refresh token."""

    refresh = serializers.CharField(max_length=4000)


class TokensSerializer(serializers.Serializer[Any]):
    """A pair of tokens."""

    access = serializers.CharField(help_text="For the header `Authorization: Bearer …`.")
    refresh = serializers.CharField(help_text="Good once, for /api/auth/refresh.")
    expires_in = serializers.IntegerField(help_text="Seconds that the access token is good for.")


_BY_CODE = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
_A_PAIR = OpenApiExample(
    "A pair",
    {"access": "eyJhbGciOi…", "refresh": "eyJhbGciOi…", "expires_in": 600},
    response_only=True,
    status_codes=["200"],
)
_A_REFRESH_TOKEN = OpenApiExample("A refresh token", {"refresh": "eyJhbGciOi…"}, request_only=True)


class NotNow(exceptions.APIException):
    """Something that this needs is down."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "unavailable"


class _Door(APIView):
    authentication_classes = ()
    permission_classes = (permissions.AllowAny,)

    def get_authenticate_header(self, request: Request) -> str:
        """A refusal here is a 401, although nothing authenticates at this door."""
        return "Bearer"


class TokenView(_Door):
    """Sign in."""

    @extend_schema(
        summary="Sign in",
        request=SignInSerializer,
        responses={200: TokensSerializer, **problems(400, 401, 429, 503)},
        examples=[
            OpenApiExample("Signing in", {"username": "ada", "password": "…"}, request_only=True),
            OpenApiExample(
                "With a second factor",
                {"username": "ada", "password": "…", "code": "123456"},
                request_only=True,
            ),
            _A_PAIR,
        ],
        auth=[],
        tags=["auth"],
    )
    def post(self, request: Request) -> Response:
        """Exchange a name and a password for a pair of tokens."""
        asked = _checked(SignInSerializer, request)
        address = BaseThrottle().get_ident(request)
        for who in (f"name:{asked['username'].casefold()}", f"address:{address}"):
            wait = take(f"sign-in:{who}", SIGN_INS_PER_MINUTE, burst=SIGN_INS_PER_MINUTE)
            if wait:
                raise exceptions.Throttled(wait)
        user = authenticate(
            request._request, username=asked["username"], password=asked["password"]
        )
        if not isinstance(user, User):
            raise exceptions.AuthenticationFailed("The name or the password is wrong.")
        _check_second_factor(user, asked.get("code", ""))
        with transaction.atomic():
            session = _new_session(user)
            tokens = _pair(user, session)
        user_logged_in.send(sender=User, request=request._request, user=user)
        return Response(tokens, headers=_KEPT_NOWHERE)


class RefreshView(_Door):
    """Go on."""

    @extend_schema(
        summary="Exchange a refresh token for a new pair",
        description=(
            "A refresh token is good once. One that comes again later has been copied: then the "
            "whole session ends, and the person signs in anew."
        ),
        request=RefreshSerializer,
        responses={200: TokensSerializer, **problems(400, 401, 429)},
        examples=[_A_REFRESH_TOKEN, _A_PAIR],
        auth=[],
        tags=["auth"],
    )
    def post(self, request: Request) -> Response:
        """Exchange a refresh token, once, for a new pair."""
        token = _checked(RefreshSerializer, request)["refresh"]
        with transaction.atomic():
            tokens = _refreshed(token)
        if tokens is None:
            raise exceptions.AuthenticationFailed("The refresh token is not good any more.")
        return Response(tokens, headers=_KEPT_NOWHERE)


class LogoutView(_Door):
    """Sign out."""

    @extend_schema(
        summary="Sign out",
        request=RefreshSerializer,
        responses={204: OpenApiResponse(description="Signed out."), **problems(400, 429)},
        examples=[_A_REFRESH_TOKEN],
        auth=[],
        tags=["auth"],
    )
    def post(self, request: Request) -> Response:
        """End the session that a refresh token belongs to, and every token of it."""
        payload = jwt.decode_token(_checked(RefreshSerializer, request)["refresh"], "refresh")
        if payload is not None:
            key = jwt.session_key_from_sid(payload["sid"])
            Session.objects.filter(session_key=key).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


def _checked(form: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    serializer = form(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _check_second_factor(user: User, code: str) -> None:
    factors = list(Authenticator.objects.filter(user=user))
    if not factors:
        return
    by_code = [factor for factor in factors if factor.type in _BY_CODE]
    if not by_code:
        raise exceptions.AuthenticationFailed(
            "This account's second factor is a passkey, which works in a browser only: add an "
            "authenticator app to it, or use an account made for programs.",
            "second_factor",
        )
    if not code:
        raise exceptions.AuthenticationFailed(
            "This account has a second factor: send its code as “code”.", "second_factor"
        )
    try:
        good = any(factor.wrap().validate_code(code) for factor in by_code)
    except RedisError:  # where allauth notes that a code was used
        raise NotNow("The second factor can't be checked for the moment.") from None
    if not good:
        raise exceptions.AuthenticationFailed("The code of the second factor is wrong.")


def _new_session(user: User) -> SessionStore:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.set_expiry(settings.HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN)
    session.create()
    return session


def _pair(user: User, session: SessionStore) -> dict[str, Any]:
    tokens = {
        "access": jwt.create_access_token(user, session, {}),
        "refresh": jwt.create_refresh_token(user, session),
        "expires_in": settings.HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN,
    }
    session.save()
    return tokens


def _refreshed(token: str) -> dict[str, Any] | None:
    """The new pair, or None for a token that is not good; ends the session of a copied one."""
    payload = jwt.decode_token(token, "refresh")
    if payload is None:
        return None
    key = jwt.session_key_from_sid(payload["sid"])
    row = Session.objects.select_for_update().filter(session_key=key).first()
    if row is None:
        return None
    good = jwt.validate_refresh_token(token)
    if good is None:
        # We signed it for this session, so it was good once and comes a second time.
        used_last, when = row.get_decoded().get(_USED_LAST, ("", 0.0))
        if payload["jti"] != used_last or time.time() - when > _SAME_MOMENT:
            row.delete()
        return None
    user, session, _payload = good
    jwt.invalidate_refresh_token(session, payload)
    session[_USED_LAST] = [payload["jti"], time.time()]
    return _pair(user, session)
