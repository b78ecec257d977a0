"""`manage.py apikey create`: the key alone on stdout, so that a script can take it."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from genengine.core import clock
from genengine.workspaces.models import Role, Workspace
from genengine.workspaces.policy import SCOPES
from genengine.workspaces.services import KeyRefused, create_api_key, installation_principal


class Command(BaseCommand):
    help = "Make an API key for a workspace. It is shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="make a key and print it alone on stdout")
        create.add_argument("--workspace", required=True, metavar="SLUG", help="its address, such as aurora")
        create.add_argument("--role", default=Role.EDITOR, choices=Role.values)
        create.add_argument("--scopes", default=",".join(SCOPES), help=f"of {', '.join(SCOPES)}; separated by commas")
        create.add_argument("--name", default="command line", help="who uses it")
        create.add_argument("--expires-days", type=int, metavar="N", help="ends after N days; without, never")

    def handle(self, *args: Any, workspace: str, role: str, scopes: str, name: str, **options: Any) -> None:
        found = Workspace.objects.filter(slug=workspace).first()
        if found is None:
            known = ", ".join(Workspace.objects.order_by("slug").values_list("slug", flat=True)[:20])
            raise CommandError(f"There is no workspace “{workspace}”. There are: {known or 'none yet'}.")
        now = clock.now()
        days = options["expires_days"]
        try:
            key, text = create_api_key(
                principal=installation_principal(found),
                name=name,
                role=Role(role),
                scopes=[scope.strip() for scope in scopes.split(",") if scope.strip()],
                now=now,
                expires_at=now + timedelta(days=days) if days is not None else None,
            )
        except KeyRefused as refused:
            raise CommandError(str(refused)) from refused
        self.stderr.write(f"Key “{key.name}” for {found.slug}, {key.role}, {', '.join(key.scopes)}. It is shown once:")
        self.stdout.write(text)
