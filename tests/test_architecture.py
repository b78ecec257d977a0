"""What import-linter cannot see: foreign keys and dotted task names are strings."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import ForeignKey, ManyToManyField

REPOSITORY = Path(__file__).resolve().parents[1]

# From the ground up; apps of one rank must not point at each other either.
RANK = {
    "genengine.core": 0,
    "genengine.workspaces": 1,
    "genengine.assets": 2,
    "compliance": 3,
    "billing": 4,
    "providers": 4,
    "jobs": 5,
    "campaigns": 6,
}
PACKAGES = ("genengine", "campaigns", "jobs", "providers", "billing", "compliance")
QUEUEING_CALLS = {"async_task", "Schedule"}


def test_import_contracts_hold():
    linter = Path(sys.executable).with_name("lint-imports")
    answer = subprocess.run(
        [linter, "--config", "pyproject.toml"], cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False
    )
    assert answer.returncode == 0, answer.stdout[answer.stdout.find("Broken contracts") :]


@pytest.mark.parametrize("model", [m for m in apps.get_models() if m._meta.app_config.name in RANK], ids=str)
def test_foreign_keys_point_down(model):
    own = model._meta.app_config.name
    for field in model._meta.get_fields():
        if isinstance(field, (ForeignKey, ManyToManyField)):
            target = field.related_model._meta.app_config.name
            allowed = target == own or RANK.get(target, -1) < RANK[own]
            assert allowed, f"{model.__name__}.{field.name} points up, from {own} to {target}"


def sources():
    for package in PACKAGES:
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def queued_paths():
    """Every dotted path that is given to django-q2 as a string."""
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", getattr(node.func, "attr", "")) in QUEUEING_CALLS
            ):
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield pytest.param(first.value, id=f"{path.relative_to(REPOSITORY)}:{node.lineno}")


@pytest.mark.parametrize("dotted", list(queued_paths()))
def test_queued_tasks_can_be_imported(dotted):
    module, _, name = dotted.rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))


def test_there_are_queued_tasks_to_look_at():
    assert list(queued_paths())


def test_no_module_grows_past_500_lines():
    long = [path for path in sources() if len(path.read_text(encoding="utf-8").splitlines()) > 500]
    assert not long


def test_no_unfinished_work_is_left_in_the_code():
    words = ("TO" + "DO", "FIX" + "ME", "raise Not" + "ImplementedError")
    found = [f"{path}: {word}" for path in sources() for word in words if word in path.read_text(encoding="utf-8")]
    assert not found
