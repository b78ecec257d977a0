"""Every write of workspaces: people, invitations, keys, settings. Each is one transaction, told and audited.

Secrets are shown once by the caller and kept only as SHA-256.
"""

from genengine.workspaces.services.accounts import set_account_active
from genengine.workspaces.services.keys import KeyRefused, authenticate_key, create_api_key, revoke_api_key
from genengine.workspaces.services.people import (
    InvitationInvalid,
    MembershipRefused,
    accept_invitation,
    change_member,
    create_invitation,
    join_with_new_account,
    open_invitation,
    remove_member,
    revoke_invitation,
)
from genengine.workspaces.services.record import digest
from genengine.workspaces.services.signing_in import record_session_event
from genengine.workspaces.services.spaces import (
    SettingsInvalid,
    create_workspace,
    installation_principal,
    update_workspace,
)
from genengine.workspaces.services.tickets import issue_ticket, use_ticket

__all__ = [
    "InvitationInvalid",
    "KeyRefused",
    "MembershipRefused",
    "SettingsInvalid",
    "accept_invitation",
    "authenticate_key",
    "change_member",
    "create_api_key",
    "create_invitation",
    "create_workspace",
    "digest",
    "installation_principal",
    "issue_ticket",
    "join_with_new_account",
    "open_invitation",
    "record_session_event",
    "remove_member",
    "revoke_api_key",
    "revoke_invitation",
    "set_account_active",
    "update_workspace",
    "use_ticket",
]
