"""The page of a brand kit: a logo and its other version, as drawings or pictures; what is wrong is said on the page."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from campaigns.briefs.models import BrandKit, Brief
from campaigns.planning.queries import brief_values
from genengine.workspaces.policy import Principal
from tests.campaigns.conftest import MEDIA

pytestmark = pytest.mark.django_db
COLOURS = {f"colour_{name}": "#0e1b33" for name in ("primary", "secondary", "accent", "background", "text")}


def drawing(name: str, content: bytes = b"") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content or (MEDIA / "brand" / name).read_bytes(), "image/svg+xml")


@pytest.fixture
def page(client: Client, editor: Principal) -> str:
    assert editor.user is not None
    client.force_login(editor.user)
    return reverse("settings-brand-new", args=[editor.workspace.slug])


def test_a_logo_and_its_other_version_are_taken_as_drawings(client: Client, editor: Principal, page: str) -> None:
    files = {"logo_file": drawing("logo-light.svg"), "other_logo_file": drawing("logo-dark.svg")}
    answer = client.post(page, {"name": "Aurora", **COLOURS, **files})
    assert answer.status_code == 302
    kit = BrandKit.objects.of(editor.workspace).get()
    assert kit.logo is not None
    assert kit.other_logo is not None
    for logo, name in ((kit.logo, "logo-light.svg"), (kit.other_logo, "logo-dark.svg")):
        assert (logo.name, logo.working.media_type, logo.width) == (name, "image/png", 2048)
        assert logo.original.media_type == "application/octet-stream", "a drawing is never sent as one"
        assert logo.original.size == (MEDIA / "brand" / name).stat().st_size
    again = client.get(reverse("settings-brand-edit", args=[editor.workspace.slug, kit.pk])).content.decode()
    assert again.count(f'value="{kit.other_logo_id}" selected') == 1


def test_a_drawing_that_cannot_be_taken_is_refused_with_what_to_do(client: Client, page: str) -> None:
    letters = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><text>Aurora</text></svg>'
    answer = client.post(page, {"name": "Aurora", **COLOURS, "logo_file": drawing("logo.svg", letters)})
    assert "outlines" in answer.content.decode()
    assert not BrandKit.objects.exists()


def test_a_brief_reads_both_versions(client: Client, editor: Principal, page: str, brief: Brief) -> None:
    files = {"logo_file": drawing("logo-light.svg"), "other_logo_file": drawing("logo-dark.svg")}
    client.post(page, {"name": "Aurora", **COLOURS, **files})
    kit = BrandKit.objects.of(editor.workspace).get()
    brief.brand_kit = kit
    values = brief_values(brief)
    assert (values.logo_id, values.other_logo_id) == (str(kit.logo_id), str(kit.other_logo_id))
