from dataclasses import dataclass
from datetime import timedelta

import pytest

from genengine.assets.media_urls import MediaLinkExpired, MediaLinkInvalid, read_media_token, signed_media_url


@dataclass
class Bytes:
    storage_name: str = "blobs/one/ab/abcdef"
    sha256: str = "abcdef"
    media_type: str = "video/mp4"


def token_of(url: str) -> str:
    return url.removeprefix("/media/")


def test_a_link_carries_what_it_permits():
    grant = read_media_token(token_of(signed_media_url(Bytes(), filename="master.mp4", download=True)))

    assert (grant.storage_name, grant.filename, grant.content_type, grant.etag, grant.download) == (
        "blobs/one/ab/abcdef",
        "master.mp4",
        "video/mp4",
        "abcdef",
        True,
    )


def test_a_changed_link_is_refused():
    token = token_of(signed_media_url(Bytes()))

    with pytest.raises(MediaLinkInvalid):
        read_media_token("x" + token[1:])


def test_a_link_works_for_at_least_its_time_and_not_much_longer():
    token = token_of(signed_media_url(Bytes(), expires_in=timedelta(seconds=600)))
    expiry = read_media_token(token).expires_at

    read_media_token(token, now=expiry - 1)
    with pytest.raises(MediaLinkExpired, match="Open the page"):
        read_media_token(token, now=expiry + 1)


def test_a_page_that_is_rendered_again_shows_the_same_link():
    first = signed_media_url(Bytes(), expires_in=timedelta(days=365))

    assert signed_media_url(Bytes(), expires_in=timedelta(days=365)) == first
