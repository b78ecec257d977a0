"""The form of a brand kit."""

from typing import Any

from django import forms

from campaigns.briefs.forms import LinesField
from campaigns.briefs.models import BrandKit
from genengine.assets.models import Asset, AssetKind
from genengine.workspaces.models import Workspace

COLOURS = (
    ("primary", "Primary", "#0e1b33"),
    ("secondary", "Secondary", "#f2603c"),
    ("accent", "Accent", "#19c7b0"),
    ("background", "Background", "#fff6e8"),
    ("text", "Text", "#0e1b33"),
)


class BrandKitForm(forms.Form):
    """Logo, colours, fonts, words never to use."""

    name = forms.CharField(label="Name", max_length=120)
    logo = forms.ModelChoiceField(label="Logo", queryset=Asset.objects.none(), required=False, empty_label="No logo")
    logo_file = forms.FileField(label="Upload a logo", required=False, help_text="SVG, or PNG with transparent ground.")
    other_logo = forms.ModelChoiceField(
        label="Its other version", queryset=Asset.objects.none(), required=False, empty_label="None",
        help_text="Dark where the first is light, or light where it is dark: for films on which the first drowns.",
    )  # fmt: skip
    other_logo_file = forms.FileField(label="Upload the other version", required=False, help_text="SVG or PNG.")
    fonts = forms.ModelMultipleChoiceField(label="Fonts", queryset=Asset.objects.none(), required=False)
    font_file = forms.FileField(label="Upload a font", required=False, help_text="TTF or OTF that you may use in ads.")
    forbidden_words = LinesField(label="Words never to use", required=False, help_text="One a line.")
    watermark = forms.BooleanField(label="Small logo on every frame", required=False)

    def __init__(self, *args: Any, workspace: Workspace, kit: BrandKit | None, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "initial": _initial(kit)})
        live = Asset.objects.of(workspace).filter(archived_at__isnull=True)
        for name in ("logo", "other_logo"):
            self.fields[name].queryset = live.filter(kind=AssetKind.IMAGE)  # type: ignore[attr-defined]
        self.fields["fonts"].queryset = live.filter(kind=AssetKind.FONT)  # type: ignore[attr-defined]
        colours = kit.colours if kit else {}
        for key, label, default in COLOURS:
            self.fields[f"colour_{key}"] = forms.RegexField(
                r"^#[0-9a-fA-F]{6}$",
                label=label,
                initial=colours.get(key, default),
                widget=forms.TextInput(attrs={"type": "color"}),
                error_messages={"invalid": "Write a colour like #0e1b33."},
            )

    def values(self, kit: BrandKit | None) -> dict[str, Any]:
        """Return what the service takes; colours of the kit that this form does not show are kept."""
        data = self.cleaned_data
        shown = {key: data[f"colour_{key}"].lower() for key, _, _ in COLOURS}
        return {
            "name": data["name"],
            "colours": {**(kit.colours if kit else {}), **shown},
            "logo": data["logo"],
            "other_logo": data["other_logo"],
            "fonts": list(data["fonts"]),
            "watermark": data["watermark"],
            "forbidden_words": data["forbidden_words"],
        }


def _initial(kit: BrandKit | None) -> dict[str, Any]:
    if kit is None:
        return {}
    return {
        "name": kit.name,
        "logo": kit.logo_id,
        "other_logo": kit.other_logo_id,
        "fonts": [font.pk for font in kit.fonts.all()],
        "watermark": kit.watermark,
        "forbidden_words": kit.forbidden_words,
    }
