"""`docs/requirements.md` names only ids that exist, files that exist, and tests that exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.support.processes import REPOSITORY

# How many rows each part of the list of requirements has.
ROWS = {
    "WS": 6, "BR": 8, "PL": 8, "AS": 1, "RT": 7, "OR": 8, "PV": 14, "RE": 8, "AU": 7, "CO": 4, "QC": 5, "UI": 4,
    "RV": 4, "DL": 7, "CP": 7, "BI": 6, "API": 5, "OB": 5, "LO": 2, "BY": 7,
}  # fmt: skip
CRITERIA = {f"AC-{number:03}" for number in range(1, 22)}
KNOWN = {f"{part}{number}" for part, most in ROWS.items() for number in range(1, most + 1)} | CRITERIA
ROW = re.compile(r"^\| ([A-Z]{2,3}-?\d+) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
LINES = ROW.findall((REPOSITORY / "docs" / "requirements.md").read_text(encoding="utf-8"))
CODE = re.compile(r"`([^`]+)`")


@cache
def names_in(path: Path) -> frozenset[str]:
    """Return the names of the test functions of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(n.name for n in ast.walk(tree) if isinstance(n, functions) and n.name.startswith("test_"))


def places(cell: str) -> list[Path]:
    """Return the paths of a cell; a bare name lies beside the one before it."""
    found: list[Path] = []
    for name in CODE.findall(cell):
        path = REPOSITORY / name
        if not path.exists() and found:
            folder = found[-1] if found[-1].is_dir() else found[-1].parent
            path = folder / name
        found.append(path)
    return found


def test_every_row_has_a_known_id_and_stands_once() -> None:
    ids = [row[0] for row in LINES]
    assert len(ids) > 40
    assert set(ids) <= KNOWN
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("row", LINES, ids=[row[0] for row in LINES])
def test_what_a_row_names_exists(row: tuple[str, str, str, str]) -> None:
    _, _, where, proof = row
    assert places(where)
    assert [str(path) for path in places(where) if not path.exists()] == []
    named = [name.partition("::") for name in CODE.findall(proof) if "::" in name]
    assert named
    for file, _, test in named:
        assert test in names_in(REPOSITORY / file), f"{file} has no {test}"


def test_words_of_a_row_that_name_no_test_are_cases_of_the_contract_suite() -> None:
    from tests.contracts.cases import CALLS, CASES

    cases = {case.id for case in (*CASES, *CALLS)}
    named = {name for row in LINES for name in CODE.findall(row[3]) if "::" not in name}
    assert named <= cases
