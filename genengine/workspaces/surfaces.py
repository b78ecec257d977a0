"""Where each action of the policy can be asked for: pages, API, sockets, admin. The access table is this data.

A row names a route and a method. What it takes to exercise one (a brief, a job, …) follows from the route's own
parameters; a test walks every row with every role, grant, key and stranger, and walks the URL resolver to see that no
address that writes is missing here. An action without a row on a surface cannot be asked for there.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from genengine.workspaces.policy import Action


class Surface(StrEnum):
    """A way in."""

    PAGE = "page"
    API = "api"
    SOCKET = "socket"
    ADMIN = "admin"


@dataclass(frozen=True)
class Row:
    """One cell's worth of asking: this method on this route asks for this action."""

    action: Action
    surface: Surface
    method: str
    route: str
    args: tuple[tuple[str, str], ...] = field(default=())

    def __str__(self) -> str:
        return f"{self.surface} {self.method} {self.route}{dict(self.args) or ''}"


def _rows(surface: Surface, table: dict[Action, str]) -> Iterable[Row]:
    """Read `METHOD route[name=value]` lines."""
    for action, lines in table.items():
        for line in lines.split():
            method, _, rest = line.partition(":")
            route, *pairs = rest.split("|")
            args = tuple((name, value) for name, _, value in (pair.partition("=") for pair in pairs))
            yield Row(action, surface, method, route, args)


PAGES: dict[Action, str] = {
    Action.VIEW: (
        "GET:workspace GET:briefs GET:brief GET:brief-estimate GET:plan GET:plan-checks GET:plan-asked"
        " GET:jobs GET:job GET:job-live GET:job-events GET:job-clip GET:job-master GET:review GET:deliver"
        " GET:settings GET:settings-people GET:settings-brand GET:settings-health"
    ),
    Action.VIEW_COST: "GET:settings-caps",
    Action.UPLOAD_ASSET: "POST:brief-upload",
    Action.EDIT_BRIEF: (
        "GET:brief-new POST:brief-new POST:brief POST:brief-field POST:brief-script POST:brief-asset"
        " POST:brief-duplicate POST:plan-fix POST:settings-brand-new POST:settings-brand-edit"
    ),
    Action.EDIT_PLAN: (
        "POST:plan-make POST:plan-saving POST:plan-restore POST:plan-order POST:plan-scene-add POST:plan-scene"
        " POST:plan-scene-do POST:plan-ask POST:plan-branch-add POST:plan-branch POST:plan-clip"
    ),
    Action.LAUNCH_JOB: "POST:plan-launch",
    Action.CONTROL_JOB: "POST:plan-apply POST:job-do POST:job-branch-do POST:job-clip-do POST:job-take",
    Action.RAISE_CAP: "POST:job-cap",
    Action.APPROVE: "POST:approve",
    Action.REQUEST_EXPORT: "POST:export-request POST:export-retry",
    Action.MANAGE_MEMBERS: "POST:settings-invite POST:settings-uninvite POST:settings-member",
    Action.MANAGE_KEYS: "GET:settings-keys POST:settings-key-create POST:settings-key-revoke",
    Action.MANAGE_CREDENTIALS: (
        "GET:settings-providers POST:settings-provider-add POST:settings-provider-change GET:settings-models"
        " POST:settings-model-test GET:settings-voices GET:settings-voice-sample"
    ),
    Action.MANAGE_CAPS: "POST:settings-caps",
    Action.MANAGE_WORKSPACE: "POST:settings",
}
API: dict[Action, str] = {
    Action.VIEW: (
        "GET:api-me GET:api-assets GET:api-asset GET:api-brand-kits GET:api-briefs GET:api-brief GET:api-estimate"
        " GET:api-revisions GET:api-revision GET:api-jobs GET:api-job GET:api-job-timeline GET:api-job-events"
        " POST:api-job-ticket GET:api-outputs GET:api-exports GET:api-export"
        " GET:api-provider-health"
    ),
    Action.UPLOAD_ASSET: "POST:api-assets DELETE:api-asset",
    Action.EDIT_BRIEF: (
        "POST:api-briefs PATCH:api-brief DELETE:api-brief POST:api-brief-assets DELETE:api-brief-asset"
    ),
    Action.EDIT_PLAN: "POST:api-plan POST:api-revision-restore POST:api-changes",
    Action.LAUNCH_JOB: "POST:api-launch",
    Action.CONTROL_JOB: (
        "POST:api-job-control|verb=pause POST:api-job-control|verb=resume POST:api-job-control|verb=rerun"
        " POST:api-job-control|verb=cancel POST:api-branch-control|verb=pause POST:api-branch-control|verb=cancel"
        " POST:api-clip-control|verb=pause POST:api-clip-control|verb=lock POST:api-clip-control|verb=rerun"
        " POST:api-take-select POST:api-apply"
    ),
    Action.RAISE_CAP: "POST:api-job-cap",
    Action.APPROVE: "POST:api-approve POST:api-withdraw",
    Action.REQUEST_EXPORT: "POST:api-exports POST:api-export-retry",
}
SOCKETS: dict[Action, str] = {Action.VIEW: "GET:ws-job"}
ADMIN: dict[Action, str] = {
    Action.READ_AUDIT: "GET:admin:index GET:admin:compliance_auditentry_changelist",
    Action.MANAGE_MEMBERS: (
        "GET:admin:workspaces_membership_changelist GET:admin:workspaces_membership_change"
        " POST:admin:workspaces_membership_change POST:admin:workspaces_membership_delete"
        " GET:admin:workspaces_membership_history GET:admin:workspaces_invitation_changelist"
    ),
    Action.MANAGE_KEYS: "GET:admin:workspaces_apikey_changelist GET:admin:workspaces_apikey_change",
    Action.MANAGE_CREDENTIALS: (
        "GET:admin:providers_provideraccount_changelist GET:admin:providers_provideraccount_change"
    ),
    Action.MANAGE_CAPS: (
        "GET:admin:billing_cap_changelist GET:admin:billing_cap_change POST:admin:billing_cap_change"
        " GET:admin:billing_entry_changelist GET:admin:billing_reservation_changelist"
    ),
    Action.MANAGE_WORKSPACE: (
        "GET:admin:workspaces_workspace_changelist GET:admin:workspaces_workspace_change"
        " POST:admin:workspaces_workspace_change"
    ),
}
TABLE: tuple[Row, ...] = (
    *_rows(Surface.PAGE, PAGES),
    *_rows(Surface.API, API),
    *_rows(Surface.SOCKET, SOCKETS),
    *_rows(Surface.ADMIN, ADMIN),
)
PUBLIC = frozenset(  # addresses that take a POST from everybody, and why
    {
        "theme",  # a cookie
        "join",  # carries its own secret
        "provider-webhook",  # proved by the vendor's signature
        "provider-webhook-of",  # the same
    }
)
