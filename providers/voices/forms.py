"""The search of the voices page."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms


class VoiceSearch(forms.Form):
    """Words and a language; what cannot be read looks for nothing in particular."""

    q = forms.CharField(label="Name or trait", max_length=100, required=False, strip=True)
    language = forms.ChoiceField(label="Language", required=False)

    def __init__(self, data: Mapping[str, Any], *, languages: Iterable[str]) -> None:
        super().__init__(data)
        choices = [("", "Every language"), *((name, name) for name in languages)]
        self.fields["language"].choices = choices  # type: ignore[attr-defined]
        self.fields["language"].widget.choices = choices

    def values(self) -> dict[str, str]:
        """What to look for."""
        self.full_clean()
        cleaned = self.cleaned_data
        return {"words": cleaned.get("q") or "", "language": cleaned.get("language") or ""}

    def as_query(self) -> dict[str, str]:
        """The same as part of an address."""
        return {"q": self.values()["words"], "language": self.values()["language"]}
