"""`manage.py workspace create`: the first admin's way in, without the shell."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from genengine.core import clock
from genengine.workspaces.models import Mode, User
from genengine.workspaces.services import SettingsInvalid, create_workspace


class Command(BaseCommand):
    help = "Make a workspace whose first admin is a person that has an account."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="make a workspace and print its address")
        create.add_argument("--name", required=True, help="what people read")
        create.add_argument("--owner", required=True, metavar="EMAIL", help="its first admin")
        create.add_argument("--slug", default="", help="its address; without, made from the name")
        create.add_argument("--mode", default=Mode.SIMULATED, choices=Mode.values)

    def handle(self, *args: Any, name: str, owner: str, slug: str, mode: str, **options: Any) -> None:
        person = User.objects.filter(email__iexact=owner).first()
        if person is None:
            raise CommandError(f"Nobody has the address {owner}. Make an operator with `manage.py createsuperuser`.")
        try:
            made = create_workspace(name=name, owner=person, slug=slug, mode=mode, now=clock.now())
        except SettingsInvalid as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"/w/{made.slug}/")
