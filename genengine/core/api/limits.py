"""Rate limits a minute, counted in the shared cache by who asks; every answer says what is left."""

import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

WINDOW_S = 60
READS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Allowance:
    """What one principal may still do in this window."""

    name: str
    quota: int
    left: int
    resets_in: int

    def headers(self) -> dict[str, str]:
        """The fields of the IETF's RateLimit draft."""
        return {
            "RateLimit-Policy": f'"{self.name}";q={self.quota};w={WINDOW_S}',
            "RateLimit": f'"{self.name}";r={max(0, self.left)};t={self.resets_in}',
        }


class MinuteLimit(BaseThrottle):
    """Counts reads and writes apart, by API key, by person, or by address when nobody is signed in."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the request and keep the allowance for the answer's headers."""
        name = _policy(request)
        quota = int(settings.GE_API_LIMITS[name])
        now = time.time()
        window = int(now // WINDOW_S)
        key = f"api-limit:{name}:{who_asks(request)}:{window}"
        cache.add(key, 0, timeout=2 * WINDOW_S)
        try:
            used = cache.incr(key)
        except ValueError:  # dropped from the cache between the two calls
            used = 1
        self.allowance = Allowance(name, quota, quota - used, WINDOW_S - int(now % WINDOW_S))
        view.allowance = self.allowance
        return used <= quota

    def wait(self) -> float:
        """Seconds until the window ends."""
        return float(self.allowance.resets_in)


def who_asks(request: Request) -> str:
    """Return a stable name of who asks: the holder of the key or session, else the address."""
    holder = getattr(request.user, "rate_name", "") or (str(request.user.pk) if request.user.is_authenticated else "")
    return holder or f"address:{request.META.get('REMOTE_ADDR', '')}"


def _policy(request: Request) -> str:
    if not request.user.is_authenticated:
        return "anonymous"
    return "reads" if request.method in READS else "writes"
