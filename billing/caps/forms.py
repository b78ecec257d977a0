"""The form of a cap."""

from django import forms

from genengine.core.money import to_micro


class CapForm(forms.Form):
    """A limit in whole currency; micro-units inside."""

    limit = forms.CharField(label="Limit in USD", widget=forms.TextInput(attrs={"inputmode": "decimal"}))

    def clean_limit(self) -> int:
        """Read the amount."""
        text = self.cleaned_data["limit"].strip().lstrip("$").replace(",", "")
        try:
            micro = to_micro(text)
        except ValueError as error:
            raise forms.ValidationError(f"{error}.") from error
        if micro < 0:
            raise forms.ValidationError("A limit is zero or more.")
        return micro
