"""Two admin sites on Django's own admin: `/admin/` for a workspace's people, `/operator/` for the installation.

`TenantModelAdmin` is the one place that scopes a workspace's admin: rows, choices of foreign keys, autocomplete,
history and what a deletion would take with it. It asks the one policy; Django's own model permissions are not used.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import wraps
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db import models
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode

from genengine.core.money import format_micro
from genengine.workspaces.models import Membership, User, Workspace
from genengine.workspaces.policy import Action, Principal, can, principal_of_user
from genengine.workspaces.services import MembershipRefused, SettingsInvalid
from genengine.workspaces.tenancy import open_to

NOTHING = "–"
OPENS = (Action.MANAGE_WORKSPACE, Action.READ_AUDIT)
# Django's usual filter would offer the workspaces of everybody; this one those of the rows that may be seen.
BY_WORKSPACE = ("workspace", admin.RelatedOnlyFieldListFilter)


class Console(Enum):
    """What people come to the admin for, in the order of the index: a name and a line about it."""

    COMPLIANCE = "Compliance", "Who did what, and when; nothing here can be changed"
    MONEY = "Money", "Limits, what is held under them, and every line of the books"
    PROVIDERS = "Providers and models", "Accounts, prices, limits, health"
    WORK = "Work", "What is being made"
    PEOPLE = "People and keys", "Who may come in, and with which rights"
    INSTALLATION = "Workspaces and processes", "What this installation runs"


class _ProductSite(admin.AdminSite):
    """Sign-in is the product's own page; who is signed in and may not enter is told so. The index is by console."""

    refusal = ""

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Group the lists by what people come for instead of by Django app; an app's own page stays as it is."""
        apps = super().get_app_list(request, app_label)
        if app_label is not None:
            return apps
        groups: dict[Console, list[Any]] = {console: [] for console in Console}
        for model in (model for app in apps for model in app["models"]):
            registered = self._registry[model["model"]]
            model["name"] = getattr(registered, "listed_as", "") or model["name"]
            groups[getattr(registered, "console", Console.INSTALLATION)].append(model)
        index = reverse("admin:index", current_app=self.name)
        return [
            {
                "name": console.value[0],
                "about": console.value[1],
                "app_label": console.name.lower(),
                "app_url": index,
                "has_module_perms": True,
                "models": models,
            }
            for console, models in groups.items()
            if models
        ]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Refuse who is signed in and may not enter with a sentence, instead of a second sign-in page."""
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not self.has_permission(request):
                return self.login(request)
            return guarded(request, *args, **kwargs)

        return inner

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send strangers to the sign-in page, members without the right away."""
        if request.user.is_authenticated:
            raise PermissionDenied(self.refusal)
        return redirect_to_login(request.get_full_path(), reverse("account_login"))

    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Leave by the product's own page."""
        return HttpResponseRedirect(reverse("account_logout"))

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Passwords are changed on the product's own page."""
        return HttpResponseRedirect(reverse("account_change_password"))


class WorkspaceAdminSite(_ProductSite):
    """For admins and compliance people of workspaces."""

    site_header = site_title = "Workspace administration"
    index_title = "What you may look after"
    refusal = "This needs the role Admin or the Compliance grant in a workspace. Ask an admin of yours."

    def has_permission(self, request: HttpRequest) -> bool:
        """Let people in who look after at least one workspace."""
        return any(workspaces_of(request, action) for action in OPENS)


class OperatorSite(_ProductSite):
    """For who runs the installation."""

    site_header = site_title = "Operator"
    index_title = "The installation"
    refusal = "Only operators of the installation may enter."

    def has_permission(self, request: HttpRequest) -> bool:
        """Let operators in."""
        return request.user.is_active and getattr(request.user, "is_superuser", False)


workspace_admin = WorkspaceAdminSite(name="admin")
operator_admin = OperatorSite(name="operator")


def workspaces_of(request: HttpRequest, action: Action) -> frozenset[UUID]:
    """Return the workspaces in which the person may do something; asked once a request."""
    principals = getattr(request, "_admin_principals", None)
    if principals is None:
        principals = request._admin_principals = _principals(request.user)  # type: ignore[attr-defined]
    return frozenset(pk for pk, principal in principals.items() if can(principal, action))


def principal_in(request: HttpRequest, workspace_id: UUID) -> Principal:
    """Return who asks, in the workspace of a row."""
    workspaces_of(request, Action.VIEW)
    principal: Principal = request._admin_principals[workspace_id]  # type: ignore[attr-defined]
    return principal


def unrestricted_in(request: HttpRequest, model: Any, workspaces: Iterable[UUID]) -> models.Q:
    """Return the condition that a row of some workspaces is not restricted to others than who asks."""
    condition = models.Q(pk__in=())
    for workspace in workspaces:
        condition |= models.Q(workspace=workspace) & open_to(model, principal_in(request, workspace))
    return condition


def _principals(user: Any) -> dict[UUID, Principal]:
    if not isinstance(user, User) or not user.is_active:
        return {}
    memberships = Membership.objects.filter(user=user).select_related("workspace")
    found = {m.workspace_id: principal_of_user(user, m.workspace) for m in memberships}
    return {pk: principal for pk, principal in found.items() if principal is not None}


def money_column(field: str, label: str, *, sorts: bool = True) -> Callable[[Any], str]:
    """Return a column of an amount: micro-units in the row, dollars and cents on the page."""

    @admin.display(description=label, ordering=field if sorts else None)
    def column(row: Any) -> str:
        micro = getattr(row, field)
        if micro is None:
            return NOTHING
        return format_html('<span class="money">{}</span>', _amount(micro))

    column.__name__ = field  # the name of the cell in the page
    return column


def _amount(micro: Any) -> Any:
    if not isinstance(micro, int):
        return micro
    return f"−{format_micro(-micro)}" if micro < 0 else format_micro(micro)


def seconds_column(field: str, label: str) -> Callable[[Any], str]:
    """Return a column of a measured time, to the hundredth of a second."""

    @admin.display(description=label, ordering=field)
    def column(row: Any) -> str:
        value = getattr(row, field)
        return NOTHING if value is None else f"{value:.2f} s"

    column.__name__ = field
    return column


def id_column(field: str, label: str) -> Callable[[Any], str]:
    """Return a column of an id by its last eight digits, which tell rows apart; a search takes the whole id."""

    @admin.display(description=label, ordering=field)
    def column(row: Any) -> str:
        value = getattr(row, field)
        return format_html('<span class="nowrap" title="{}">…{}</span>', value, str(value)[-8:]) if value else NOTHING

    column.__name__ = field
    return column


def facts_table(facts: Mapping[str, Any]) -> str:
    """Return facts as a small table, a row each; amounts in micro-units as money."""
    shown = ((k.removesuffix("_micro").replace("_", " "), _amount(v) if _is_micro(k) else v) for k, v in facts.items())
    rows = format_html_join("", "<tr><th>{}</th><td>{}</td></tr>", shown)
    return format_html('<table class="facts-table">{}</table>', rows) if facts else NOTHING


def _is_micro(name: Any) -> bool:
    return isinstance(name, str) and name.endswith("_micro")


class ReadOnly:
    """Nothing is added, changed or deleted here; amounts are shown as money."""

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show `held_micro` as “held: $1.50”."""
        shown = super().get_fields(request, obj)  # type: ignore[misc]
        return [money_column(f, f.removesuffix("_micro").replace("_", " ")) if _is_micro(f) else f for f in shown]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class StrictAdmin(admin.ModelAdmin):
    """Ids that do not exist are a 404 instead of a redirect with a message.

    `console` and `listed_as` say where it stands in the index and under which name.
    """

    console: ClassVar[Console] = Console.INSTALLATION
    listed_as: ClassVar[str] = ""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """A list is headed by what is in it, as the index names it."""
        name = self.listed_as or str(self.opts.verbose_name_plural)
        titled = {"title": f"{name[:1].upper()}{name[1:]}", **(extra_context or {})}
        return super().changelist_view(request, titled)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        raise Http404


class RevisionAdmin(StrictAdmin):
    """Append-only revisions: every one can be read, the next one written by a service, none changed or taken away.

    `form` is for a new revision alone; `save_model` calls the service, whose `refusals` become messages on the page.
    """

    refusals: ClassVar[tuple[type[Exception], ...]] = ()
    first_values: ClassVar["staticmethod[[Any], dict[str, Any]]"]
    """A revision as the first values of the next one's form."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The form's fields for a new revision, the row's own for one that is there."""
        if obj is None:
            return self.fieldsets
        return ((None, {"fields": [field.name for field in self.model._meta.fields]}),)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Only the new revision has a form; its own fields are not the model's."""
        if obj is not None:
            return super().get_form(request, obj, change, form=ModelForm, fields=())
        kwargs["fields"] = self.form.Meta.fields  # type: ignore[attr-defined]
        return super().get_form(request, obj, change, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A revision is never changed."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nor taken away."""
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with the values of the row that “Next revision” was asked for."""
        initial = super().get_changeform_initial_data(request)
        number = str(initial.pop("after", ""))
        rows = self.model._default_manager.filter(**self.identity(initial))
        after = rows.filter(number=int(number)).first() if number.isdecimal() and len(number) < 10 else None
        return self.first_values(after) if after else initial

    def identity(self, initial: Mapping[str, Any]) -> dict[str, str]:
        """Return the fields that say what the form's address wants a revision of."""
        return {"model": str(initial.get("model", ""))}

    def next_revision(self, obj: Any, **named: str) -> str:
        """Return a link to the form with this row's values in it; `named` says what it is a revision of."""
        address = reverse(f"operator:{self.opts.app_label}_{self.opts.model_name}_add")
        query = urlencode({**named, "after": str(obj.number)})
        return format_html('<a href="{}?{}">Next revision</a>', address, query)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Turn a refusal of the service into a message on the same page."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except self.refusals as refusal:
            messages.error(request, f"Not kept: {refusal}.")
            request.method = "GET"
            return super().changeform_view(request, *args, **kwargs)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The audit trail has it."""
        return None


class TenantModelAdmin(StrictAdmin):
    """Rows of workspaces. `sees` opens them, `changes` and `deletes` (when named) write them, through a service."""

    sees: ClassVar[Action] = Action.MANAGE_WORKSPACE
    changes: ClassVar[Action | None] = None
    deletes: ClassVar[Action | None] = None
    workspace_path: ClassVar[str] = "workspace"
    refusals: ClassVar[tuple[type[Exception], ...]] = (MembershipRefused, SettingsInvalid)
    actions: ClassVar[Any] = None  # type: ignore[misc]
    list_select_related = True
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Keep the rows of workspaces in which the person may see them, and of those what is not restricted."""
        workspaces = workspaces_of(request, self.sees)
        rows = super().get_queryset(request).filter(self._scope(workspaces))
        if getattr(self.model, "restricted_by", None) is not None:
            rows = rows.filter(unrestricted_in(request, self.model, workspaces))
        return rows

    def get_list_display(self, request: HttpRequest) -> Any:
        """Who looks after one workspace alone needs no column that says which."""
        columns = super().get_list_display(request)
        alone = len(workspaces_of(request, self.sees)) == 1
        return [column for column in columns if column != "workspace" or not alone]

    def _scope(self, workspaces: Iterable[UUID]) -> models.Q:
        return models.Q(**{f"{self.workspace_path}__in": list(workspaces)})

    def workspace_of(self, obj: Any) -> UUID:
        """Return the workspace of a row."""
        return obj.pk if isinstance(obj, Workspace) else obj.workspace_id

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(workspaces_of(request, self.sees))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.sees, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.changes is not None and self._may(request, self.changes, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.deletes is not None and self._may(request, self.deletes, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def _may(self, request: HttpRequest, action: Action, obj: Any) -> bool:
        allowed = workspaces_of(request, action)
        return bool(allowed) if obj is None else self.workspace_of(obj) in allowed

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only rows of the person's workspaces."""
        kwargs["queryset"] = self._choices(db_field, request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only rows of the person's workspaces."""
        kwargs["queryset"] = self._choices(db_field, request)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def _choices(self, db_field: Any, request: HttpRequest) -> models.QuerySet[Any]:
        related = db_field.remote_field.model
        mine = workspaces_of(request, self.sees)
        rows = related._default_manager.all()
        if related is Workspace:
            return rows.filter(pk__in=mine)
        if related is User:
            return rows.filter(memberships__workspace__in=mine).distinct()
        try:
            related._meta.get_field("workspace")
        except FieldDoesNotExist:
            return rows.none()
        return rows.filter(workspace__in=mine)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Show what a deletion takes with it; a row of another workspace in it makes it impossible."""
        mine = workspaces_of(request, self.sees)
        if any(self.workspace_of(obj) not in mine for obj in objs):
            raise Http404
        shown = [str(obj) for obj in objs]
        return shown, {self.opts.verbose_name_plural: len(shown)}, set(), []

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Turn a service's refusal into a message on the same page."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except self.refusals as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(request.path)

    def history_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Without the right it is a 403 before the row is looked for."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return super().history_view(request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The same for a deletion."""
        try:
            return super().delete_view(request, *args, **kwargs)
        except self.refusals as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))
