"""Tags of the brief page: a field that saves itself, a thumbnail of an asset."""

from typing import Any

from django import forms, template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.planning.forms import TRANSITION_WORDS
from genengine.assets.models import Asset, AssetKind
from genengine.assets.templatetags.media import media_url
from genengine.core.templatetags.ui import icon

register = template.Library()

WIDE = frozenset(
    {"script", "key_messages", "title", "ratios", "compliance_flags", "audience", "quality_profile", "restricted"}
)
UNITS = {"length_ms": "seconds", "cap_micro": "USD"}


@register.inclusion_tag("campaigns/briefs/_field.html", takes_context=True)
def brief_field(context: dict[str, Any], form: forms.Form, name: str) -> dict[str, Any]:
    """Draw one field of the brief form."""
    widget = form.fields[name].widget
    grouped = isinstance(widget, forms.CheckboxSelectMultiple | forms.RadioSelect)
    return {
        "field": form[name],
        "name": name,
        "kind": "pills" if grouped else "check" if isinstance(widget, forms.CheckboxInput) else "plain",
        "full": name in WIDE,
        "unit": UNITS.get(name, ""),
        "error": context.get("form_errors", {}).get(name, ""),
        "workspace": context["workspace"],
        "brief": context["brief"],
        "may": context["may"],
    }


@register.filter
def transition_words(value: str) -> str:
    """Return how a scene begins, in the words of its form."""
    return TRANSITION_WORDS.get(value, value).lower()


SHAPES = {AssetKind.VIDEO: "film", AssetKind.AUDIO: "audio", AssetKind.TEXT: "doc", AssetKind.FONT: "text"}


@register.simple_tag
def asset_thumb(asset: Asset) -> SafeString:
    """Draw a picture, the first frame of a clip, or a shape for what has no picture."""
    if asset.kind == AssetKind.IMAGE:
        return format_html('<img src="{}" alt="" loading="lazy">', media_url(asset.working, asset.name))
    if asset.kind == AssetKind.VIDEO:
        url = media_url(asset.working, asset.name)
        return format_html('<video src="{}#t=0.5" muted preload="metadata" aria-hidden="true"></video>', url)
    return icon(SHAPES.get(AssetKind(asset.kind), "doc"))
