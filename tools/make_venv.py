"""Make the virtualenv, or say in one sentence why not. Runs on whatever `python3` is: standard library, old syntax."""

import subprocess
import sys

TESTED = ((3, 11),)


def main(folder):
    found = "{}.{}".format(*sys.version_info[:2])
    if sys.version_info[:2] not in TESTED:
        wanted = " or ".join("{}.{}".format(*version) for version in TESTED)
        sys.exit(
            "The Generation Engine is tested with Python {} and this is {}: install that version, or name it with"
            " `make run PYTHON=/path/to/python{}`.".format(wanted, found, wanted)
        )
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        sys.exit("This Python cannot make virtualenvs: install the package that brings venv (Debian: python3-venv).")
    print("Making {} with Python {}".format(folder, found))
    return subprocess.call([sys.executable, "-m", "venv", folder])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
