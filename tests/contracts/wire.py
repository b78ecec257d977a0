"""Plain HTTP as a vendor's documentation or its JavaScript client would send it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import requests

from tests.contracts.emulator_process import EmulatorProcess


@dataclass(frozen=True, slots=True)
class Wire:
    """One vendor's address and the headers that sign in there."""

    emulator: EmulatorProcess
    vendor: str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> str:
        return f"{self.emulator.url}/{self.vendor}"

    def __call__(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {**self.headers, **more.pop("headers", {})}
        address = path if path.startswith("http") else self.root + path
        return requests.request(method, address, headers=headers, timeout=60, allow_redirects=False, **more)

    def without_key(self) -> Wire:
        return Wire(self.emulator, self.vendor)


def lines_of_events(answer: requests.Response) -> list[str]:
    """The data of a stream of server-sent events."""
    return [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
