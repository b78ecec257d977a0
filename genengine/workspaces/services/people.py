"""People come, change and go: invitations by link, roles, the Compliance grant."""

import secrets
from datetime import datetime, timedelta

from genengine.core.db import retry_conflicts, unit_of_work
from genengine.workspaces.models import Invitation, Membership, Role, User
from genengine.workspaces.policy import RANK, Action, Principal, require
from genengine.workspaces.services.record import digest, tell

INVITATION_LIFE = timedelta(days=14)


class MembershipRefused(Exception):
    """The change would leave the workspace without an admin, or is not this person's to make."""


class InvitationInvalid(Exception):
    """The link is used up, too old, or was never made: ask for a new one."""


@retry_conflicts
def create_invitation(*, principal: Principal, role: Role, now: datetime, email: str = "") -> tuple[Invitation, str]:
    """Make an invitation; return it with the token for its link, which is not kept."""
    require(principal, Action.MANAGE_MEMBERS)
    token = secrets.token_urlsafe(32)
    with unit_of_work():
        invitation = Invitation.objects.create(
            workspace=principal.workspace,
            email=email.strip().lower(),
            role=role,
            token_hash=digest(token),
            created_by=_person(principal),
            expires_at=now + INVITATION_LIFE,
        )
        _record(principal, "invitation.created", "invitation", invitation.pk, now, role=role)
    return invitation, token


@retry_conflicts
def revoke_invitation(*, invitation: Invitation, principal: Principal, now: datetime) -> None:
    """Take an open invitation back."""
    require(principal, Action.MANAGE_MEMBERS, invitation)
    with unit_of_work():
        gone, _ = Invitation.objects.filter(pk=invitation.pk, accepted_at__isnull=True).delete()
        if gone:
            _record(principal, "invitation.revoked", "invitation", invitation.pk, now)


def open_invitation(*, token: str, now: datetime) -> Invitation:
    """Return the invitation of a link, or say that the link no longer works."""
    invitation = (
        Invitation.objects.select_related("workspace", "created_by")
        .filter(token_hash=digest(token), accepted_at__isnull=True, expires_at__gt=now)
        .first()
    )
    if invitation is None:
        raise InvitationInvalid("This link has been used or is too old. Ask the person who sent it for a new one.")
    return invitation


@retry_conflicts
def accept_invitation(*, token: str, user: User, now: datetime) -> Membership:
    """Join by a link. Who is a member already keeps the higher role."""
    with unit_of_work():
        invitation = open_invitation(token=token, now=now)
        if invitation.email and invitation.email != user.email.lower():
            raise InvitationInvalid(f"This invitation is for {invitation.email}. Sign in with that address.")
        used = Invitation.objects.filter(pk=invitation.pk, accepted_at__isnull=True).update(
            accepted_at=now, accepted_by=user
        )
        if not used:
            raise InvitationInvalid("This link has just been used. Ask for a new one.")
        membership, made = Membership.objects.get_or_create(
            workspace=invitation.workspace, user=user, defaults={"role": invitation.role}
        )
        if not made and RANK[Role(invitation.role)] > RANK[Role(membership.role)]:
            membership.role = invitation.role
            membership.save(update_fields=["role"])
        principal = Principal(invitation.workspace, Role(membership.role), user.as_actor(), user=user)
        _record(principal, "member.joined", "membership", membership.pk, now, role=membership.role)
    return membership


@retry_conflicts
def join_with_new_account(*, token: str, email: str, password: str, display_name: str, now: datetime) -> Membership:
    """Make an account for a person who opens an invitation, and let them in, or neither."""
    address = email.strip().lower()
    if User.objects.filter(email__iexact=address).exists():
        raise InvitationInvalid("There is an account with this address already. Sign in, then open the link again.")
    with unit_of_work():
        user = User.objects.create_user(address, password, display_name=display_name.strip())
        return accept_invitation(token=token, user=user, now=now)


@retry_conflicts
def change_member(
    *, membership: Membership, principal: Principal, now: datetime, role: Role, compliance: bool | None = None
) -> None:
    """Give a member another role or the Compliance grant."""
    require(principal, Action.MANAGE_MEMBERS, membership)
    with unit_of_work():
        if role != Role.ADMIN:
            _keep_an_admin(membership)
        membership.role = role
        if compliance is not None:
            membership.compliance = compliance
        membership.save(update_fields=["role", "compliance"])
        _record(
            principal, "member.changed", "membership", membership.pk, now, role=role, compliance=membership.compliance
        )


@retry_conflicts
def remove_member(*, membership: Membership, principal: Principal, now: datetime) -> None:
    """Take a person out of the workspace; what they made stays."""
    require(principal, Action.MANAGE_MEMBERS, membership)
    with unit_of_work():
        _keep_an_admin(membership)
        key = membership.pk
        membership.delete()
        _record(principal, "member.removed", "membership", key, now)


def _keep_an_admin(membership: Membership) -> None:
    others = (
        Membership.objects.select_for_update()
        .filter(workspace_id=membership.workspace_id, role=Role.ADMIN, user__is_active=True)
        .order_by("pk")
    )
    if membership.role == Role.ADMIN and all(row.pk == membership.pk for row in others):
        raise MembershipRefused("The workspace needs an admin. Make somebody else an admin first.")


def _person(principal: Principal) -> User:
    if principal.user is None:
        raise MembershipRefused("A person has to do this, not an API key.")
    return principal.user


def _record(
    principal: Principal, action: str, subject_kind: str, subject_id: object, now: datetime, **facts: object
) -> None:
    tell(
        principal.workspace, principal.actor, action,
        subject_kind=subject_kind, subject_id=subject_id, now=now, facts=facts,
    )  # fmt: skip
