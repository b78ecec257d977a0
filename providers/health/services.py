"""Checks of vendor accounts that are in use, and what a rejected key means for the account."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from genengine.core import audit
from genengine.core.actors import SYSTEM
from genengine.core.db import unit_of_work
from providers.base import RemoteAdapter
from providers.credentials.models import ProviderAccount
from providers.errors import ProviderError
from providers.registry.services import build_adapter
from providers.traffic.models import Circuit, Signal, Throttle
from providers.traffic.services import note_signal
from providers.traffic.states import CircuitState
from providers.traffic.types import Verdict, verdict_of

IN_USE = timedelta(hours=24)


def claim_checks(*, now: datetime, limit: int = 20) -> list[UUID]:
    """Take the accounts whose check is due and mark them as checked; claiming is rescheduling."""
    late = Q(checked_at__isnull=True) | Q(checked_at__lt=now - timedelta(seconds=settings.GE_HEALTH_CHECK_S))
    with transaction.atomic():
        rows = Throttle.objects.filter(late, used_at__gt=now - IN_USE).select_for_update(skip_locked=True)
        found = list(rows.order_by("checked_at").values_list("pk", flat=True)[:limit])
        Throttle.objects.filter(pk__in=found).update(checked_at=now)
    return found


def check_account(*, throttle_id: UUID, now: datetime) -> str:
    """Ask the vendor, free of charge, whether the account still works; returns the error's kind, empty when it does."""
    throttle = Throttle.objects.select_related("workspace", "account").get(pk=throttle_id)
    started, kind, message = time.monotonic(), "", ""
    try:
        adapter = build_adapter(
            provider=throttle.provider, workspace=throttle.workspace, mode=throttle.mode, account=throttle.account
        )
        if isinstance(adapter, RemoteAdapter):
            adapter.check_credentials()
    except ProviderError as error:
        kind, message = error.kind.value, error.message
    verdict = verdict_of(kind)
    Signal.objects.create(
        workspace_id=throttle.workspace_id, throttle=throttle, at=now, call=Signal.Call.CHECK, kind=kind,
        verdict=verdict, seconds=time.monotonic() - started, message=message[:300],
    )  # fmt: skip
    if verdict is Verdict.ACCOUNT:
        for circuit in Circuit.objects.filter(throttle=throttle, state=CircuitState.CLOSED):
            note_signal(circuit=circuit, call=Signal.Call.CHECK, kind=kind, message=message, now=now)
        if throttle.account is not None:
            reject_account(account=throttle.account, kind=kind, message=message, now=now)
    return kind


def reject_account(*, account: ProviderAccount, kind: str, message: str, now: datetime) -> None:
    """The vendor no longer accepts the key: the account is not used until a person has tested it again.

    An account without credit keeps its key: only its circuit stays open.
    """
    if kind != "credentials_rejected":
        return
    words = f"{message} Nothing is sent with it until it is tested again under Providers."
    with unit_of_work():
        rows = ProviderAccount.objects.filter(pk=account.pk, verified_at__isnull=False)
        if not rows.update(verified_at=None, last_error=words[:300]):
            return
        audit.record(
            workspace_id=account.workspace_id,
            actor=SYSTEM,
            action="provider_account.rejected",
            subject_kind="provider_account",
            subject_id=account.pk,
            now=now,
            provider=account.provider,
        )
