"""Callbacks of vendors: verified, kept, and turned into an earlier poll.

The poll stays the only writer, so that a late, doubled or forged callback can change nothing. The address that we gave
the vendor names the attempt: when the answer to its submit was lost, a verified callback tells the task's id, and the
poll takes it from there.
"""

import logging
from collections.abc import Iterable

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from genengine.core import clock
from genengine.workspaces.models import Workspace
from jobs.execution.exchanges import keep_exchanges
from jobs.execution.models import Attempt
from jobs.execution.states import AttemptState
from providers.base import RemoteAdapter
from providers.errors import Exchange, ProviderError
from providers.registry import UnknownProvider
from providers.registry.services import build_adapter
from providers.values import TaskReport

log = logging.getLogger(__name__)
MAX_BODY = 1_000_000
KEPT_BODY = 4_000
WAITING = (AttemptState.SUBMITTED, AttemptState.UNKNOWN)
NAMELESS = (AttemptState.INTENT, AttemptState.UNKNOWN, AttemptState.PRESUMED_SPENT)  # no task of ours is known yet


@method_decorator(csrf_exempt, name="dispatch")
class ProviderWebhook(View):
    """`POST /hooks/<provider>/<workspace>/[<key>/]`: 202 when the vendor's signature holds, 404 for everything else."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, provider: str, slug: str, key: str = "") -> HttpResponse:
        if int(request.headers.get("content-length") or 0) > MAX_BODY:
            return HttpResponse(status=413)
        try:
            workspace = Workspace.objects.get(slug=slug)
            adapter = build_adapter(provider=provider, workspace=workspace, mode=workspace.mode)
            if not isinstance(adapter, RemoteAdapter):
                return HttpResponse(status=404)
            adapter.verify_webhook(request.headers, request.body)
            reports = adapter.parse_webhook(request.headers, request.body)
        except (Workspace.DoesNotExist, UnknownProvider, ProviderError) as refused:
            log.info("webhook refused", extra={"provider": provider, "reason": type(refused).__name__})
            return HttpResponse(status=404)
        if key and len(reports) == 1:
            name_task(workspace, provider, key, reports[0].remote_id)
        kind = request.headers.get("content-type", "application/json")
        hurry(workspace, provider, reports, adapter.redactor.body(request.body, kind))
        return HttpResponse(status=202)


def name_task(workspace: Workspace, provider: str, key: str, remote_id: str) -> None:
    """Keep the id that the vendor told for the attempt of this key, once, and let the poll look at it now.

    An id that is another attempt's already is a callback sent again to a wrong address: it names nothing.
    """
    mine = Attempt.objects.of(workspace).filter(provider=provider)
    if not remote_id or mine.filter(remote_id=remote_id).exists():
        return
    rows = mine.filter(idempotency_key=key, state__in=NAMELESS, sent_at__isnull=False, told_remote_id="")
    if rows.update(told_remote_id=remote_id):
        later = (AttemptState.UNKNOWN, AttemptState.PRESUMED_SPENT)
        mine.filter(idempotency_key=key, state__in=later).update(next_poll_at=clock.now())


def hurry(workspace: Workspace, provider: str, reports: Iterable[TaskReport], body: str) -> None:
    """Make the attempts that the reports are about due for a poll now, and keep what was said."""
    now = clock.now()
    for report in reports:
        named = Q(remote_id=report.remote_id) | Q(told_remote_id=report.remote_id) if report.remote_id else Q(pk=None)
        if report.idempotency_key:
            named |= Q(idempotency_key=report.idempotency_key)
        rows = Attempt.objects.of(workspace).filter(named, provider=provider, state__in=WAITING)
        for attempt in rows:
            Attempt.objects.filter(pk=attempt.pk, state__in=WAITING).update(next_poll_at=now)
            told = Exchange(
                method="POST",
                url=f"/hooks/{provider}/",
                status=202,
                seconds=0.0,
                correlation_id=attempt.correlation_id,
                request_body=body[:KEPT_BODY],
                note=f"callback: {report.vendor_state or report.state.value}",
            )
            keep_exchanges(attempt, "webhook", [told], now=now)
