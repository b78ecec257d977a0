"""What `manage.py` does around Django's own command line: the embedded server, and the database role of a
command.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from genengine.core.processes import end_with_supervisor

# Commands that define tables connect as their owner; the application's role may not.
OWNER_COMMANDS = frozenset({"migrate", "flush", "sqlflush", "createcachetable"})

# Commands that never look into the database, or that bring their own server.
NO_SERVER_COMMANDS = frozenset(
    {
        *(
            "",
            "help",
            "version",
            "--help",
            "-h",
            "--version",
            "up",
            "emulator",
            "render_server",
            "settings_reference",
            "generate",
        ),
        *(
            "makemessages",
            "compilemessages",
            "collectstatic",
            "findstatic",
            "diffsettings",
            "startapp",
            "spectacular",
        ),
        *("dependencies_reference", "states_reference", "events_reference", "api_reference", "provider_docs"),
    }
)
POOLED_COMMANDS = frozenset({"web"})


def run(argv: Sequence[str]) -> None:
    """Run one command; exit codes and error texts are Django's own."""
    command = argv[1] if len(argv) > 1 else ""
    _take_state_dir_from_arguments(argv)
    if command in OWNER_COMMANDS:
        os.environ.setdefault("GE_DATABASE_ROLE", "owner")
    if command in POOLED_COMMANDS:
        os.environ.setdefault("GE_DATABASE_POOL", "true")

    if command == "worker" and len(argv) > 2:
        os.environ["Q_CLUSTER_NAME"] = argv[2]  # django-q2 reads which queue it serves when it is imported
    end_with_supervisor()

    from django.core.management import execute_from_command_line

    if os.environ.get("DATABASE_URL") or command in NO_SERVER_COMMANDS or _asks_for_help(argv):
        execute_from_command_line(list(argv))
        return
    from genengine.core.embedded_postgres import EmbeddedPostgresError, ensure_running
    from genengine.settings.paths import GE_STATE_DIR

    try:
        with ensure_running(GE_STATE_DIR):
            execute_from_command_line(list(argv))
    except EmbeddedPostgresError as problem:
        sys.exit(f"{type(problem).__name__}: {problem}")


def _asks_for_help(argv: Sequence[str]) -> bool:
    return "--help" in argv[2:] or "-h" in argv[2:]


def _take_state_dir_from_arguments(argv: Sequence[str]) -> None:
    """`--state-dir DIR` must be known before settings are read, so it is taken here for every command that
    has it.
    """
    for position, argument in enumerate(argv):
        if argument == "--state-dir" and position + 1 < len(argv):
            os.environ["GE_STATE_DIR"] = str(Path(argv[position + 1]).expanduser().resolve())
        elif argument.startswith("--state-dir="):
            os.environ["GE_STATE_DIR"] = str(Path(argument.partition("=")[2]).expanduser().resolve())
