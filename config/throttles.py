"""The API's limit. DRF's own throttles count in a cache and let through several times theirs."""

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from config.limits import take

if TYPE_CHECKING:  # rest_framework.views loads this module while it is itself being loaded
    from rest_framework.views import APIView


class PerUserThrottle(BaseThrottle):
    """``API_REQUESTS_PER_MINUTE`` for each user, or for each address where nobody is signed in."""

    _wait = 0.0

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Whether this request may go on; exact under any concurrency."""
        rate = settings.API_REQUESTS_PER_MINUTE
        self._wait = take(f"api:{self._who(request)}", rate, burst=rate)
        return not self._wait

    def wait(self) -> float | None:
        """Seconds for the Retry-After header."""
        return self._wait or None

    def _who(self, request: Request) -> str:
        if request.user and request.user.is_authenticated:
            return f"user:{request.user.pk}"
        return f"address:{self.get_ident(request)}"
