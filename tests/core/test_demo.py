import pytest

from genengine.core import demo
from genengine.core.clock import now

CALLS = []


def seed_nothing(*, password, now):
    CALLS.append(password)
    return "admin@demo.example"


def test_an_installation_without_a_demo_starts_all_the_same(settings):
    settings.GE_DEMO_SEED = "campaigns.no_such_demo.seed"
    settings.GE_DEMO_PROGRESS = ""

    assert demo.seed(now=now()) is None
    assert demo.progress() == ""


def test_the_password_is_random_and_stays_the_same(settings, tmp_path):
    settings.GE_STATE_DIR = tmp_path
    settings.GE_DEMO_SEED = f"{__name__}.seed_nothing"
    first, second = demo.seed(now=now()), demo.seed(now=now())

    assert first == second
    assert first.email == "admin@demo.example"
    assert CALLS[-2:] == [first.password] * 2
    assert len(first.password) >= 12
    assert (tmp_path / "secrets" / "demo.password").stat().st_mode & 0o077 == 0


def test_a_broken_demo_module_is_not_mistaken_for_none(settings, tmp_path, monkeypatch):
    (tmp_path / "broken_demo.py").write_text("import a_module_that_is_not_there\n")
    monkeypatch.syspath_prepend(tmp_path)
    settings.GE_DEMO_SEED = "broken_demo.seed"

    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_not_there"):
        demo.seed(now=now())
