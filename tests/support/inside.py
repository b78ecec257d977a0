"""One process inside an installation that stays and answers calls: starting one for every question would take more
CPU from the stack under test than the question itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.support.processes import REPOSITORY

END_S = 15


class CallFailed(AssertionError):
    """The function raised; its traceback is the text."""


class Inside:
    """Functions of a module, called in a process that has the installation's own environment."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self._log = log

    def call(self, function: str, *arguments: Any) -> Any:
        """Return what a function returns; arguments and result are JSON."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([function, *arguments]), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        assert answer, f"the process inside has ended:\n{self._log.read_text(errors='replace')[-3000:]}"
        value, problem = json.loads(answer)
        if problem:
            raise CallFailed(problem)
        return value


@contextmanager
def inside(module: str, *, environment: Mapping[str, str], log: Path) -> Iterator[Inside]:
    """Start the process for the functions of `module`; what the product logs goes to `log`."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.inside", module],
            env={"DJANGO_SETTINGS_MODULE": "genengine.settings.local", **environment},
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
            start_new_session=True,
        )
        with process:
            try:
                yield Inside(process, log)
            finally:
                process.terminate()
                try:
                    process.wait(END_S)
                except subprocess.TimeoutExpired:
                    process.kill()


def _serve(module: str) -> None:
    """Answer a line for every line; whatever else writes to standard output writes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import django

    django.setup()
    functions = import_module(module)
    for line in sys.stdin:
        function, *arguments = json.loads(line)
        print(json.dumps(_answer(functions, function, arguments)), file=answers, flush=True)


def _answer(functions: Any, function: str, arguments: list[Any]) -> tuple[Any, str]:
    from django.db import connections

    try:
        return getattr(functions, function)(*arguments), ""
    except Exception:
        return None, traceback.format_exc()
    finally:
        connections.close_all()  # the next call may meet another server: this one may be killed meanwhile


if __name__ == "__main__":
    _serve(sys.argv[1])
