"""What `manage.py` does around Django's own command line: the embedded server, and the database role of a
command.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
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
        "schema_snapshot",
    }
)
POOLED_COMMANDS = frozenset({"web"})

# Servers without models, database and checks. Loading every app would take most of their start.
WITHOUT_APPS = {
    "emulator": "providers.management.commands.emulator",
    "render_server": "providers.management.commands.render_server",
}


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
    if command in WITHOUT_APPS:
        _run_without_apps(argv)
        return

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


def _run_without_apps(argv: Sequence[str]) -> None:
    """What Django's command line does around a command, with settings and logging but no apps."""
    from django.conf import settings
    from django.core.management.base import CommandError, handle_default_options
    from django.utils.log import configure_logging

    command = import_module(WITHOUT_APPS[argv[1]]).Command()
    command._called_from_command_line = True  # a wrong argument is told with the usage, not raised
    options = command.create_parser(argv[0], argv[1]).parse_args(list(argv[2:]))
    handle_default_options(options)
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
    try:
        command.handle(**vars(options))
    except CommandError as problem:
        if options.traceback:
            raise
        command.stderr.write(f"{type(problem).__name__}: {problem}")
        sys.exit(problem.returncode)


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
