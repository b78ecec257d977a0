"""A thread that cannot be ended from outside."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from genengine.media import RenderCancelled, compile
from tests.media.support import CAN, image_spec


def test_a_thread_stuck_in_native_code_does_not_hold_up_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The picture decoder never comes back; whoever cancels (or waits for a time limit) is answered all the same."""
    reached, release = threading.Event(), threading.Event()

    def stuck(*_: Any, **__: Any) -> Any:
        reached.set()
        release.wait(300)
        raise OSError("let go by the test")

    monkeypatch.setattr("genengine.media.compose.sources.load_rgb", stuck)
    monkeypatch.setattr("genengine.media.compose.job.GRACE_S", 0.2)
    with pytest.raises(RenderCancelled):
        compile(image_spec(), {"can": CAN}, tmp_path / "a.mp4", cancelled=reached.is_set)
    assert not release.is_set()
    assert "stuck in native code" in caplog.text
    assert list(tmp_path.iterdir()) == []
    release.set()
