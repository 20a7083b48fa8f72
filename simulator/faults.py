"""Faults on demand, and the record of every request.

A fault rule names requests by path prefix and method, and says what goes wrong with them. Which
of them it hits is drawn from the simulator's seed, so a drill can be repeated.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Refusal = Callable[[int, float], web.Response]  # a wire's own way to say a status, retry_after

KEPT_REQUESTS = 20_000
PIECES = 20  # of a dripped answer
MARKERS = ("idempotency-key", "webhook-id", "user-agent", "if-none-match", "if-modified-since")


class Mode(StrEnum):
    """What goes wrong."""

    LATENCY = "latency"  # the answer comes `delay` seconds late
    TOO_MANY = "429"
    UNAVAILABLE = "503"
    UNAUTHORISED = "401"
    DROP_BEFORE = "drop_before"  # connection aborted, nothing done
    ACCEPT_THEN_DROP = "accept_then_drop"  # the work is done, then the connection is aborted
    ACCEPT_THEN_HANG = "accept_then_hang"  # the work is done, the answer stays away for `delay`
    TRUNCATE = "truncate"  # half of the answer, then the end
    SLOW_DRIP = "slow_drip"  # the answer in small pieces over `delay` seconds


_DEFAULT_DELAY = {Mode.LATENCY: 1.0, Mode.ACCEPT_THEN_HANG: 120.0, Mode.SLOW_DRIP: 10.0}


@dataclass
class Fault:
    """One rule. `times` counts down to 0; None means for ever."""

    mode: Mode
    match: str = "/"
    method: str = ""
    times: int | None = None
    share: float = 1.0
    delay: float = 0.0
    retry_after: float = 1.0
    draw: random.Random = field(default_factory=random.Random, repr=False)

    def hits(self, request: web.Request) -> bool:
        """Whether this request is one of those; spends one of `times` when it is."""
        if not request.path.startswith(self.match) or self.times == 0:
            return False
        if self.method and request.method != self.method:
            return False
        if self.share < 1 and self.draw.random() >= self.share:
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass
class Faults:
    """The rules in force and the requests seen."""

    seed: int
    rules: list[Fault] = field(default_factory=list)
    log: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT_REQUESTS))
    refusals: dict[str, Refusal] = field(default_factory=dict)  # by path prefix

    def add(self, wanted: dict[str, Any]) -> Fault:
        """A rule from its JSON. Raises ValueError in words for what can't be one."""
        known = {"match", "method", "mode", "times", "share", "delay", "retry_after"}
        if unknown := wanted.keys() - known:
            raise ValueError(f"Unknown: {', '.join(sorted(unknown))}. Known: {sorted(known)}")
        mode = Mode(str(wanted.get("mode", "")))
        times = wanted.get("times")
        rule = Fault(
            mode=mode,
            match=str(wanted.get("match", "/")),
            method=str(wanted.get("method") or "").upper(),
            times=None if times is None else int(times),
            share=float(wanted.get("share", 1)),
            delay=float(wanted.get("delay") or _DEFAULT_DELAY.get(mode, 0)),
            retry_after=float(wanted.get("retry_after", 1)),
            draw=random.Random(f"{self.seed}/{len(self.rules)}"),  # noqa: S311 - a repeatable drill
        )
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """No faults from now on."""
        self.rules.clear()

    @property
    def middleware(self) -> Any:
        """Stands between the socket and every wire; the control interface is out of its reach."""

        @web.middleware
        async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith("/_control/"):
                return await handler(request)
            rule = next((rule for rule in self.rules if rule.hits(request)), None)
            entry = self._note(request, rule)
            try:
                response = await self._answer(rule, request, handler)
            except web.HTTPException as refusal:
                entry["status"] = refusal.status
                raise
            entry["status"] = response.status
            return response

        return answer

    def _note(self, request: web.Request, rule: Fault | None) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "time": time.time(),
            "method": request.method,
            "path": request.path,
            "query": request.query_string,
            "headers": {name: request.headers[name] for name in MARKERS if name in request.headers},
            "fault": rule.mode.value if rule else None,
            "status": None,  # until it is answered
        }
        self.log.append(entry)
        return entry

    async def _answer(
        self, rule: Fault | None, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        if rule is None:
            return await handler(request)
        match rule.mode:
            case Mode.LATENCY:
                await asyncio.sleep(rule.delay)
                return await handler(request)
            case Mode.TOO_MANY | Mode.UNAVAILABLE | Mode.UNAUTHORISED:
                return self._refuse(request, int(rule.mode.value), rule.retry_after)
            case Mode.DROP_BEFORE:
                return _abort(request)
            case Mode.ACCEPT_THEN_DROP:
                await _done(handler, request)
                return _abort(request)
            case Mode.ACCEPT_THEN_HANG:
                await _done(handler, request)
                await asyncio.sleep(rule.delay)
                return _abort(request)
            case Mode.TRUNCATE:
                return await _truncated(request, await _done(handler, request))
            case Mode.SLOW_DRIP:
                return await _dripped(request, await _done(handler, request), rule.delay)

    def _refuse(self, request: web.Request, status: int, retry_after: float) -> web.Response:
        prefixes = (prefix for prefix in self.refusals if request.path.startswith(prefix))
        refusal = (
            self.refusals[longest] if (longest := max(prefixes, key=len, default="")) else None
        )
        response = refusal(status, retry_after) if refusal else web.Response(status=status)
        if status in (429, 503):
            response.headers.setdefault("Retry-After", f"{retry_after:g}")
        return response


async def _done(handler: Handler, request: web.Request) -> web.StreamResponse:
    """The handler's answer, also when it is a refusal: a fault comes after the work."""
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        return refusal


def _abort(request: web.Request) -> web.Response:
    """Ends the connection without an answer; what is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


async def _truncated(request: web.Request, whole: web.StreamResponse) -> web.StreamResponse:
    body = _body(whole)
    response = _same_head(whole, len(body))
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()  # after what was written, unlike abort
    return response


async def _dripped(
    request: web.Request, whole: web.StreamResponse, seconds: float
) -> web.StreamResponse:
    body = _body(whole)
    response = _same_head(whole, len(body))
    await response.prepare(request)
    size = max(1, -(-len(body) // PIECES))
    for start in range(0, len(body), size):
        await asyncio.sleep(seconds / PIECES)
        await response.write(body[start : start + size])
    await response.write_eof()
    return response


def _body(response: web.StreamResponse) -> bytes:
    body = response.body if isinstance(response, web.Response) else b""
    return bytes(body) if isinstance(body, (bytes, bytearray)) else b""


def _same_head(whole: web.StreamResponse, length: int) -> web.StreamResponse:
    response = web.StreamResponse(status=whole.status, headers=whole.headers)
    response.content_length = length
    return response
