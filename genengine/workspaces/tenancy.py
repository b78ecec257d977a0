"""Tenant scope in one place: every row belongs to a workspace and is only reached through it."""

from typing import Any, TypeVar
from uuid import UUID

from django.db import models
from django.http import Http404

from genengine.core.ids import new_id
from genengine.workspaces.models import Workspace

T = TypeVar("T", bound="TenantModel")


class TenantQuerySet(models.QuerySet[Any]):
    """A queryset that is scoped before it is used."""

    def of(self, workspace: Workspace | UUID) -> "TenantQuerySet":
        """Keep the rows of one workspace."""
        return self.filter(workspace_id=getattr(workspace, "pk", workspace))


class TenantModel(models.Model):
    """The base of every row that a workspace owns."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")

    objects = TenantQuerySet.as_manager()

    class Meta:
        abstract = True


def get_or_404(model: type[T], workspace: Workspace, pk: object, **lookups: Any) -> T:
    """Return a row of this workspace. Another tenant's id and an id that never was look the same: 404."""
    try:
        return model.objects.of(workspace).get(pk=pk, **lookups)
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
