"""``manage.py registry sync|list|test``: the model cards and the vendors' limits of this installation."""

from __future__ import annotations

import threading
import time
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from billing.ledger.services import CapReached
from genengine.core import clock
from genengine.core.actors import SYSTEM
from genengine.workspaces.models import Role, Workspace
from genengine.workspaces.policy import Principal
from jobs.trials.offers import TestRefused, offer_test
from jobs.trials.services import start_test, take_outcomes
from providers.limits import limit_words
from providers.registry.models import ModelTestState
from providers.registry.queries import CardInForce, cards_in_force
from providers.registry.revisions import sync_cards
from providers.traffic.limits import LimitBook, limits_in_force
from providers.traffic.models import LimitRevision
from providers.traffic.revisions import sync_limits


class Command(BaseCommand):
    """Cards and limits are rows: adapters ship the first revision, operators write the next in `/operator/`."""

    help = (
        "sync: write what the adapters ship. list: the terms and limits in force. "
        "test: one real, paid call that proves a model."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["sync", "list", "test"])
        parser.add_argument("model", nargs="?", default="", help="test: the model's id, as `list` shows it")
        parser.add_argument("--workspace", default="", help="slug: whose contract rates, whose key and whose budget")
        parser.add_argument("--yes", action="store_true", help="test: agree to the price without being asked")
        parser.add_argument("--timeout", type=float, default=900, help="test: seconds to wait for the outcome")

    def handle(self, *args: Any, action: str, workspace: str, verbosity: int, **options: Any) -> None:
        if action == "sync":
            return self._sync(verbosity)
        found = Workspace.objects.filter(slug=workspace).first() if workspace else None
        if workspace and found is None:
            raise CommandError(f"There is no workspace “{workspace}”.")
        if action == "list":
            return self._list(found)
        if found is None or not options["model"]:
            raise CommandError("Name the model and the live workspace that pays: registry test MODEL --workspace SLUG")
        return self._test(found, options["model"], agreed=options["yes"], timeout_s=options["timeout"])

    def _sync(self, verbosity: int) -> None:
        report, limits = sync_cards(now=clock.now()), sync_limits(now=clock.now())
        if verbosity:
            for model in report.kept:
                self.stdout.write(f"{model}: the adapter ships other terms now; an operator's revision stays in force")
            for scope in limits.kept:
                self.stdout.write(f"{scope}: the adapter ships other limits now; an operator's revision stays in force")
            self.stdout.write(f"written={len(report.written)} kept={len(report.kept)}")
            self.stdout.write(f"limits_written={len(limits.written)} limits_kept={len(limits.kept)}")

    def _list(self, workspace: Workspace | None) -> None:
        for terms in cards_in_force(workspace=workspace, at=clock.now()).values():
            self.stdout.write(_line(terms))
        book, own = limits_in_force(at=clock.now()), workspace.pk if workspace else None
        for provider, model in sorted({(provider, model) for _, provider, model in book.rows}):
            if row := book.row(provider, model, workspace=own):
                self.stdout.write(_limits_line(book, row, own))

    def _test(self, workspace: Workspace, model: str, *, agreed: bool, timeout_s: float) -> None:
        principal = Principal(workspace, Role.ADMIN, SYSTEM)
        try:
            offer = offer_test(workspace=workspace, model=model, now=clock.now())
            self.stdout.write(offer.sentence)
            if not agreed and input("Make this call? [y/N] ").strip().lower() not in ("y", "yes"):
                raise CommandError("Not made; nothing was spent.")
            test = start_test(offer=offer, agreed_micro=offer.price_upper_micro, principal=principal, now=clock.now())
        except (TestRefused, CapReached) as refusal:
            raise CommandError(f"Not made: {refusal}.") from refusal
        pause, deadline = threading.Event(), time.monotonic() + timeout_s
        while test.state == ModelTestState.RUNNING:
            if time.monotonic() > deadline:
                raise CommandError(f"No outcome after {timeout_s:.0f} s; it goes on as long as pump and workers run.")
            pause.wait(1.0)
            take_outcomes(clock.now())
            test.refresh_from_db()
        if test.state != ModelTestState.PASSED:
            raise CommandError(f"{model} was not proved: {test.message}.")
        self.stdout.write(f"{model} is proved: {test.message}. Spent {(test.cost_micro or 0) / 1_000_000:.4f} USD.")


def _line(terms: CardInForce) -> str:
    card = terms.card
    marks = [terms.status, *(["contract"] if terms.is_contract else []), *(["unverified"] if card.unverified else [])]
    volume = ", ".join(f"{tier.percent_off}% from {tier.from_units}" for tier in terms.volume)
    price = getattr(card.price, "amount", 0)
    return (
        f"{card.id:34} rev {terms.number:<3} {price!s:>9} {card.price.currency:8} {'/'.join(marks)} {volume}".rstrip()
    )


def _limits_line(book: LimitBook, row: LimitRevision, workspace: UUID | None) -> str:
    """What is kept to: of an account with the settings' figures in it, of a model what it has of its own."""
    if row.model:
        limits = book.of_model(row.provider, row.model, workspace=workspace)
    else:
        limits = book.of_account(row.provider, workspace=workspace)
    marks = [row.source, *(["contract"] if row.workspace_id else [])]
    scope = f"limits {row.provider} {row.model}".rstrip()
    return f"{scope:45} rev {row.number:<3} {'/'.join(marks)} {limit_words(limits)}"
