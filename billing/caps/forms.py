"""The forms of caps: amounts as people write them."""

from typing import Any

from django import forms

from billing.caps.models import CapScope
from billing.caps.owners import SET_ON_PAGE, names_of
from genengine.core.money import from_micro, to_micro
from genengine.workspaces.models import Workspace


class AmountField(forms.CharField):
    """An amount in whole currency on the page, micro-units in the row: “1,250.50” is 1250500000."""

    widget = forms.TextInput(attrs={"inputmode": "decimal"})

    def clean(self, value: Any) -> Any:
        """Read the amount."""
        text = str(super().clean(value)).strip().lstrip("$").replace(",", "")
        try:
            micro = to_micro(text)
        except ValueError as error:
            raise forms.ValidationError(f"{error}.") from error
        if micro < 0:
            raise forms.ValidationError("A limit is zero or more.")
        return micro

    def prepare_value(self, value: Any) -> Any:
        """Write what is in the row; what somebody typed stays as it is."""
        if not isinstance(value, int):
            return value
        amount = f"{from_micro(value):f}".rstrip("0").rstrip(".") if value % 10_000 else f"{from_micro(value):.2f}"
        return amount or "0"

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare amounts, not how they are written."""
        try:
            return bool(self.clean(data) != initial)
        except forms.ValidationError:
            return True


class CapForm(forms.Form):
    """A limit and what it is for; `owner` is “campaign:<id>”, “member:<id>” or “provider:<name>”."""

    limit = AmountField(label="Limit in USD")


class OwnerCapForm(CapForm):
    """A limit for a campaign, a member or a provider."""

    owner = forms.ChoiceField(label="Limit for", widget=forms.Select(attrs={"class": "owner"}))

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups = [(scope.label, list(_choices(scope, workspace))) for scope in SET_ON_PAGE]
        self.fields["owner"].choices = [("", "Choose …")] + [group for group in groups if group[1]]  # type: ignore[attr-defined]
        self.fields["owner"].error_messages["invalid_choice"] = "Choose a campaign, a member or a provider of the list."

    def scope(self) -> tuple[CapScope, str]:
        """Return what the limit is for."""
        scope, _, scope_id = self.cleaned_data["owner"].partition(":")
        return CapScope(scope), scope_id


def _choices(scope: CapScope, workspace: Workspace) -> list[tuple[str, str]]:
    return [(f"{scope}:{pk}", name) for pk, name in names_of(scope, workspace).items()]
