"""The providers page of a workspace: who can be used, and the keys for it."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from genengine.core import clock
from genengine.workspaces.access import WorkspaceRequest, workspace_page
from genengine.workspaces.policy import Action
from genengine.workspaces.tenancy import get_or_404
from providers.catalogue import adapters
from providers.credentials import services
from providers.credentials.models import ProviderAccount
from providers.credentials.queries import Readiness, provider_readiness
from providers.errors import ProviderError


@dataclass(frozen=True)
class ProviderRow:
    """One provider on the page: whether it can be used, what its key is made of, the keys that are kept."""

    readiness: Readiness
    is_local: bool
    credential_fields: tuple[str, ...]
    accounts: tuple[ProviderAccount, ...]


@require_safe
@workspace_page(Action.MANAGE_CREDENTIALS)
def providers(request: WorkspaceRequest) -> HttpResponseBase:
    """Every provider, whether it can be used and why not."""
    workspace = request.principal.workspace
    accounts = ProviderAccount.objects.of(workspace).order_by("provider", "created_at")
    kinds = adapters()
    rows = [
        ProviderRow(
            readiness,
            kinds[name].is_local,
            () if kinds[name].is_local else kinds[name].credential_fields,
            tuple(a for a in accounts if a.provider == name),
        )
        for name, readiness in provider_readiness(workspace=workspace).items()
    ]
    return render(request, "providers/accounts.html", {"rows": rows, "tab": "providers", "section": "settings"})


@require_POST
@workspace_page(Action.MANAGE_CREDENTIALS)
def add(request: WorkspaceRequest, provider: str) -> HttpResponseBase:
    """Keep an account's key after the vendor has accepted it."""
    kind = adapters().get(provider)
    if kind is None or kind.is_local:
        raise Http404("no such provider")
    try:
        services.add_account(
            workspace=request.principal.workspace,
            provider=provider,
            label=request.POST.get("label", "").strip() or kind.label,
            credentials={name: request.POST.get(name, "").strip() for name in kind.credential_fields},
            actor=request.principal.actor,
            now=clock.now(),
            base_url=request.POST.get("base_url", "").strip(),
        )
        messages.success(request, f"{kind.label} accepted the key.")
    except (services.CredentialsInvalid, ProviderError) as refusal:
        messages.error(request, str(refusal))
    return redirect("settings-providers", request.principal.workspace.slug)


@require_POST
@workspace_page(Action.MANAGE_CREDENTIALS)
def change(request: WorkspaceRequest, account_id: UUID) -> HttpResponseBase:
    """Try an account's key again, or forget it."""
    account = get_or_404(ProviderAccount, request.principal, account_id)
    if request.POST.get("do") == "revoke":
        services.revoke_account(account=account, actor=request.principal.actor, now=clock.now())
        messages.success(request, "The key is forgotten.")
    else:
        account = services.verify_account(account=account, actor=request.principal.actor, now=clock.now())
        if account.verified_at:
            messages.success(request, "The key works.")
        else:
            messages.error(request, account.last_error or "The key does not work.")
    return redirect("settings-providers", request.principal.workspace.slug)
