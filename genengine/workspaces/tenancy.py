"""Tenant scope in one place: every row belongs to a workspace and is only reached through it.

People reach rows through `visible_to`, which also leaves out what is restricted to others; work in the background,
which is nobody's, through `of`.
"""

from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.http import Http404

from genengine.core.ids import new_id
from genengine.workspaces.models import Role, Workspace
from genengine.workspaces.policy import Principal, shared_ids

T = TypeVar("T", bound="TenantModel")


class TenantQuerySet(models.QuerySet[Any]):
    """A queryset that is scoped before it is used."""

    def of(self, workspace: Workspace | UUID) -> "TenantQuerySet":
        """Keep the rows of one workspace."""
        return self.filter(workspace_id=getattr(workspace, "pk", workspace))

    def visible_to(self, principal: Principal) -> "TenantQuerySet":
        """Keep the rows of the principal's workspace that are not restricted to others."""
        return self.of(principal.workspace).filter(open_to(self.model, principal))


class TenantModel(models.Model):
    """The base of every row that a workspace owns.

    `restricted_by` is the path of foreign keys to the row that says who may see this one ("" is the row itself, with
    the columns `restricted` and `author`), or nothing where every member may. `shared_as` is that row's column under
    which it is shared with single people.
    """

    restricted_by: ClassVar[str | None] = None
    shared_as: ClassVar[str] = "pk"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")

    objects = TenantQuerySet.as_manager()

    class Meta:
        abstract = True


def open_to(model: Any, principal: Principal) -> Q:
    """Return the condition that a row is not restricted to others: `policy` decides the same for a row in hand."""
    if model.restricted_by is None or principal.role == Role.ADMIN:
        return Q()
    to = f"{model.restricted_by}__" if model.restricted_by else ""
    condition = Q(**{f"{to}restricted": False})
    if principal.user is not None:
        shared = f"{to}{_holder(model).shared_as}__in"
        condition |= Q(**{f"{to}author": principal.user.pk}) | Q(**{shared: shared_ids(principal.user)})
    return condition


def _holder(model: Any) -> Any:
    """Return the model whose rows say who may see these."""
    for name in model.restricted_by.split("__") if model.restricted_by else ():
        model = model._meta.get_field(name).related_model
    return model


def get_or_404(model: type[T], principal: Principal, pk: object, **lookups: Any) -> T:
    """Return a row that the principal may see. What is another tenant's, restricted to others or never was: 404."""
    try:
        return model.objects.visible_to(principal).get(pk=pk, **lookups)
    except (model.DoesNotExist, ValueError, TypeError) as error:
        raise Http404(f"no such {model._meta.verbose_name}") from error
    except Exception as error:
        if error.__class__.__name__ == "ValidationError":  # not a UUID
            raise Http404(f"no such {model._meta.verbose_name}") from error
        raise


def row_or_404(model: Any, workspace: Workspace, pk: object, **lookups: Any) -> Any:
    """`get_or_404` for the rows of this app, which hang on a workspace without being a `TenantModel`."""
    row = model.objects.filter(workspace=workspace, pk=pk, **lookups).first()
    if row is None:
        raise Http404(f"no such {model._meta.verbose_name}")
    return row
