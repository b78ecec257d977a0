from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from campaigns.briefs.models import Brief
from campaigns.briefs.services import attach_asset, create_brief
from genengine.assets.models import Asset
from genengine.assets.services import upload_asset
from genengine.workspaces.models import Membership, Role, User, Workspace
from genengine.workspaces.policy import Principal, principal_of_user

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
MEDIA = Path(__file__).resolve().parents[2] / "examples" / "media"


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def workspace(db: None) -> Workspace:
    return Workspace.objects.create(slug="north", name="North")


@pytest.fixture
def person(workspace: Workspace) -> Callable[..., Principal]:
    def make(role: Role = Role.EDITOR, where: Workspace | None = None) -> Principal:
        place = where or workspace
        user = User.objects.create_user(f"{role}@{place.slug}.example")
        Membership.objects.create(workspace=place, user=user, role=role)
        principal = principal_of_user(user, place)
        assert principal is not None
        return principal

    return make


@pytest.fixture
def editor(person: Callable[..., Principal]) -> Principal:
    return person(Role.EDITOR)


@pytest.fixture
def photo(editor: Principal) -> Asset:
    return upload_asset(
        workspace=editor.workspace,
        actor=editor.actor,
        user=editor.user,
        file=MEDIA / "photos" / "product-flatlay-square.jpg",
        name="flatlay.jpg",
        now=NOW,
    )


@pytest.fixture
def brief(editor: Principal, photo: Asset) -> Brief:
    brief = create_brief(
        principal=editor,
        now=NOW,
        values={
            "title": "Cold coffee, warm morning",
            "script": "Mornings move fast. Good coffee never does. We steep it for eighteen hours. Order a six-pack.",
            "length_ms": 15_000,
            "ratios": ["9:16"],
            "variants": 2,
            "cap_micro": 20_000_000,
            "call_to_action": "Order a six-pack",
        },
    )
    attach_asset(brief=brief, asset=photo, principal=editor, now=NOW)
    return brief
