"""Signed links to stored bytes: who has one may read that one file until it expires, and nothing else.

A link is stable for a while (its expiry is rounded), so that a page that is rendered again keeps playing its video.
"""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

SALT = "genengine.assets.media"


class StoredBytes(Protocol):
    """What a link needs to know about a blob."""

    storage_name: str
    sha256: str
    media_type: str


class MediaLinkInvalid(Exception):
    """The link was not made here, or was changed."""


class MediaLinkExpired(Exception):
    """The link was right, but its time is over: open the page again for a new one."""


@dataclass(frozen=True)
class MediaGrant:
    """What a verified link permits: one file, under one name, as one type."""

    storage_name: str
    filename: str
    content_type: str
    etag: str
    download: bool
    expires_at: int


def signed_media_url(
    blob: StoredBytes | str,
    *,
    filename: str = "",
    content_type: str = "",
    expires_in: timedelta | None = None,
    download: bool = False,
) -> str:
    """Return a path below /media/ that serves the bytes of `blob` (a blob, or a name in the default storage).

    `filename` is what a download is saved as; `download` makes the browser save instead of show. The link works for at
    least `expires_in` (default: GE_MEDIA_LINK_SECONDS) and at most half as long again.
    """
    name = blob if isinstance(blob, str) else blob.storage_name
    etag = name if isinstance(blob, str) else blob.sha256
    media_type = content_type or ("application/octet-stream" if isinstance(blob, str) else blob.media_type)
    seconds = int((expires_in or timedelta(seconds=settings.GE_MEDIA_LINK_SECONDS)).total_seconds())
    payload = {
        "n": name,
        "f": filename or name.rpartition("/")[2],
        "t": media_type,
        "h": etag,
        "d": int(download),
        "e": _rounded_expiry(seconds),
    }
    return reverse("media", args=[Signer(salt=SALT).sign_object(payload)])


def read_media_token(token: str, *, now: float | None = None) -> MediaGrant:
    """Verify a link's token. Raises MediaLinkInvalid or MediaLinkExpired."""
    try:
        payload: dict[str, Any] = Signer(salt=SALT).unsign_object(token)
    except (BadSignature, ValueError) as reason:
        raise MediaLinkInvalid("This link is not valid.") from reason
    if payload["e"] < (time.time() if now is None else now):
        raise MediaLinkExpired("This link has expired. Open the page that showed it again for a new one.")
    return MediaGrant(
        storage_name=payload["n"],
        filename=payload["f"],
        content_type=payload["t"],
        etag=payload["h"],
        download=bool(payload["d"]),
        expires_at=payload["e"],
    )


def _rounded_expiry(seconds: int) -> int:
    step = max(1, seconds // 2)
    return -(-int(time.time() + seconds) // step) * step
