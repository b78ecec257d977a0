"""`{% media_url blob filename %}`: the one way from a template to bytes, signed and expiring."""

from django import template

from genengine.assets.media_urls import signed_media_url
from genengine.assets.models import Blob

register = template.Library()


@register.simple_tag
def media_url(blob: Blob | None, filename: str = "", download: bool = False) -> str:
    """Return a signed link to a blob; empty for no blob."""
    if blob is None:
        return ""
    name = filename or blob.sha256[:12]
    return signed_media_url(blob, filename=name, content_type=blob.media_type, download=download)
