"""``manage.py registry sync|list|test``: the model cards of this installation."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from genengine.core import clock
from genengine.workspaces.models import Workspace
from providers.registry.queries import CardInForce, cards_in_force
from providers.registry.revisions import sync_cards


class Command(BaseCommand):
    """Cards are rows: adapters ship the first revision, operators write the next ones in `/operator/`."""

    help = "sync: write what the adapters ship. list: the terms in force."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["sync", "list"])
        parser.add_argument("--workspace", default="", help="slug: with its contract rates")

    def handle(self, *args: Any, action: str, workspace: str, verbosity: int, **options: Any) -> None:
        if action == "list":
            return self._list(workspace)
        report = sync_cards(now=clock.now())
        if verbosity:
            for model in report.kept:
                self.stdout.write(f"{model}: the adapter ships other terms now; an operator's revision stays in force")
            self.stdout.write(f"written={len(report.written)} kept={len(report.kept)}")
        return None

    def _list(self, slug: str) -> None:
        workspace = Workspace.objects.filter(slug=slug).first() if slug else None
        if slug and workspace is None:
            raise CommandError(f"There is no workspace “{slug}”; leave --workspace out for the installation's terms.")
        for terms in cards_in_force(workspace=workspace, at=clock.now()).values():
            self.stdout.write(_line(terms))


def _line(terms: CardInForce) -> str:
    card = terms.card
    marks = [terms.status, *(["contract"] if terms.is_contract else []), *(["unverified"] if card.unverified else [])]
    volume = ", ".join(f"{tier.percent_off}% from {tier.from_units}" for tier in terms.volume)
    price = getattr(card.price, "amount", 0)
    return (
        f"{card.id:34} rev {terms.number:<3} {price!s:>9} {card.price.currency:8} {'/'.join(marks)} {volume}".rstrip()
    )
