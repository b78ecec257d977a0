"""Refusals of the render server as ``application/problem+json`` (RFC 9457): what happened and what to do next."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """One refusal. ``code`` is stable, ``detail`` says the cause, ``fix`` the next step, ``more`` the rest."""

    def __init__(self, status: int, code: str, detail: str, fix: str, **more: Any) -> None:
        super().__init__(f"{detail} {fix}")
        self.status, self.code, self.detail, self.fix, self.more = status, code, detail, fix, more

    def body(self) -> bytes:
        """The JSON that is sent."""
        title = HTTPStatus(self.status).phrase
        values = {"type": "about:blank", "title": title, "status": self.status, "code": self.code}
        return json.dumps(values | {"detail": self.detail, "fix": self.fix} | self.more).encode()


def not_found() -> Problem:
    """For every address that is not served and every id that is not the caller's own."""
    return Problem(404, "not_found", "There is nothing at this address.", "Check the address; results expire.")
