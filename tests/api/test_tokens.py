"""Signing in, going on, and every way in which a token stops being good."""

import logging
import time

import jwt as pyjwt
import pytest
from allauth.headless.tokens.strategies.jwt import internal as jwt
from allauth.mfa import app_settings as totp_app
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache.backends.redis import RedisCache
from rest_framework.test import APIClient

from config import tokens
from tests.together import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_limits_used")]


def sign_in(name="vera", password="correct horse", **more):
    return APIClient().post(
        "/api/auth/token", {"username": name, "password": password, **more}, format="json"
    )


def refresh(token):
    return APIClient().post("/api/auth/refresh", {"refresh": token}, format="json")


def current_code(secret):
    left = totp_app.TOTP_PERIOD - time.time() % totp_app.TOTP_PERIOD
    if left < 3:  # the code is about to change: take the next one
        time.sleep(left)
    return totp.format_hotp_value(
        totp.hotp_value(secret, next(totp.yield_hotp_counters_from_time()))
    )


def reads(access):
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    return api.get("/api/articles/").status_code


def test_a_token_opens_the_api_for_ten_minutes(vera):
    answer = sign_in()
    assert answer.status_code == 200
    assert answer["cache-control"] == "no-store"
    assert answer.json()["expires_in"] == 600
    assert reads(answer.json()["access"]) == 200
    claims = pyjwt.decode(answer.json()["access"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 600


def test_an_expired_token_is_refused(vera):
    session = tokens._new_session(vera)
    sid = jwt.session_key_to_sid(session.session_key)
    old, _ = jwt.create_token("access", sub=str(vera.pk), sid=sid, expires_in=-1)
    assert reads(old) == 401


def test_a_token_that_somebody_else_signed_is_refused(vera):
    claims = pyjwt.decode(sign_in().json()["access"], options={"verify_signature": False})
    for forged in (
        pyjwt.encode(claims, "another key of thirty-two bytes at least", algorithm="HS256"),
        pyjwt.encode(claims, "", algorithm="none"),
    ):
        assert reads(forged) == 401


def test_a_wrong_password_is_a_problem_that_names_no_reason(vera):
    for name, password in (("vera", "wrong"), ("nobody", "wrong")):
        answer = sign_in(name, password)
        assert answer.status_code == 401
        assert answer["content-type"] == "application/problem+json"
        assert answer.json()["detail"] == "The name or the password is wrong."


def test_the_eleventh_try_in_a_minute_waits(vera):
    answers = [sign_in(password="wrong").status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
    assert int(sign_in(password="wrong")["retry-after"]) >= 1


def test_a_refresh_token_is_good_once(vera):
    first = sign_in().json()
    second = refresh(first["refresh"])
    assert second.status_code == 200
    assert reads(second.json()["access"]) == 200
    assert refresh(first["refresh"]).status_code == 401
    assert refresh(second.json()["refresh"]).status_code == 200  # a race of two tabs harms nobody


def test_a_copied_refresh_token_ends_the_session(vera, monkeypatch):
    first = sign_in().json()
    second = refresh(first["refresh"]).json()
    now = time.time()
    monkeypatch.setattr("config.tokens.time.time", lambda: now + 60)
    assert refresh(first["refresh"]).status_code == 401
    assert refresh(second["refresh"]).status_code == 401
    assert reads(second["access"]) == 401


def test_a_token_from_before_the_last_ends_the_session_at_once(vera):
    first = sign_in().json()
    second = refresh(first["refresh"]).json()
    third = refresh(second["refresh"]).json()
    assert refresh(first["refresh"]).status_code == 401
    assert refresh(third["refresh"]).status_code == 401


def test_a_session_does_not_grow_with_every_refresh(vera):
    token = sign_in().json()["refresh"]
    sizes = []
    for _ in range(5):
        token = refresh(token).json()["refresh"]
        sizes.append(len(str(Session.objects.get().get_decoded())))
    assert max(sizes[1:]) - min(sizes[1:]) < 20  # a float's digits


def test_an_access_token_is_no_refresh_token(vera):
    assert refresh(sign_in().json()["access"]).status_code == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "ü" * 50, "e" * 5000])
def test_garbage_is_refused_without_a_fuss(db, token):
    assert refresh(token).status_code in (400, 401)


def test_a_changed_password_ends_every_token(vera):
    pair = sign_in().json()
    vera.set_password("another horse")
    vera.save()
    assert reads(pair["access"]) == 401
    assert refresh(pair["refresh"]).status_code == 401


def test_a_deactivated_account_is_out_at_once(vera):
    pair = sign_in().json()
    vera.is_active = False
    vera.save()
    assert reads(pair["access"]) == 401
    assert refresh(pair["refresh"]).status_code == 401
    assert sign_in().status_code == 401


def test_signing_out_ends_the_session(vera):
    pair = sign_in().json()
    APIClient().post("/api/auth/logout", {"refresh": pair["refresh"]}, format="json")
    assert not Session.objects.exists()
    assert reads(pair["access"]) == 401


def test_an_account_with_a_second_factor_needs_its_code(vera):
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(vera, secret)
    assert sign_in().json()["type"] == "urn:newsdesk:second_factor"
    assert sign_in(code="000000").status_code == 401
    code = current_code(secret)
    assert sign_in(code=code).status_code == 200
    assert sign_in(code=code).status_code == 401  # a code is good once


def test_a_passkey_alone_does_not_open_the_door_to_programs(vera):
    Authenticator.objects.create(user=vera, type=Authenticator.Type.WEBAUTHN, data={})
    answer = sign_in()
    assert answer.status_code == 401
    assert "passkey" in answer.json()["detail"]


def test_a_second_factor_that_can_not_be_checked_now_opens_nothing(vera, monkeypatch):
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(vera, secret)
    monkeypatch.setattr(totp, "cache", RedisCache("redis://127.0.0.1:1/0", {}))
    answer = sign_in(code=current_code(secret))
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:newsdesk:unavailable")
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    "body", [{}, {"username": "vera"}, {"username": ["vera"], "password": {}}, [], "vera", None]
)
def test_a_sign_in_that_makes_no_sense_is_a_problem(vera, body):
    answer = APIClient().post("/api/auth/token", body, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_no_token_and_no_password_is_in_the_log(vera, caplog, capfd):
    with caplog.at_level(logging.DEBUG):
        pair = sign_in().json()
        refresh(pair["refresh"])
        refresh(pair["refresh"])
        reads(pair["access"] + "x")
    said = caplog.text + "".join(capfd.readouterr())
    assert "/api/auth/refresh" in said  # the refused one is on the log
    for secret in (pair["access"], pair["refresh"], "correct horse"):
        assert secret not in said


def test_tokens_are_signed_with_a_key_of_their_own():
    assert settings.HEADLESS_JWT_PRIVATE_KEY == settings.JWT_SIGNING_KEY != settings.SECRET_KEY


@pytest.mark.django_db(transaction=True)
def test_of_twelve_refreshes_at_once_exactly_one_wins(vera):
    token = sign_in().json()["refresh"]
    answers = at_once(*[lambda: refresh(token)] * 12)
    won = [answer.json() for answer in answers if answer.status_code == 200]
    assert [answer.status_code for answer in answers].count(401) == 11
    assert [reads(pair["access"]) for pair in won] == [200]
