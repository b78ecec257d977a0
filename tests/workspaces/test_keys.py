"""API keys through the services: made, checked, ended."""

from __future__ import annotations

import statistics
import time
from datetime import timedelta

import pytest

from compliance.trail.models import AuditEntry
from genengine.core import clock
from genengine.core.events.models import Event
from genengine.workspaces.models import ApiKey, Role
from genengine.workspaces.policy import NotAllowed
from genengine.workspaces.services import KeyRefused, authenticate_key, create_api_key, revoke_api_key
from tests.factories.jobs import make_principal, make_workspace

pytestmark = pytest.mark.django_db


def make_key(role: Role = Role.EDITOR, scopes: list[str] | None = None, **fields: object) -> tuple[ApiKey, str]:
    admin = make_principal(make_workspace())
    return create_api_key(
        principal=admin, name="partner", role=role, scopes=scopes or ["read"], now=clock.now(), **fields
    )


def test_a_key_is_shown_once_and_kept_only_as_a_hash() -> None:
    key, text = make_key()
    assert text.startswith(f"ge_{key.prefix}_")
    secret = text.removeprefix(f"ge_{key.prefix}_")
    stored = ApiKey.objects.values().get(pk=key.pk)
    assert not any(secret in str(value) for value in stored.values())
    assert not Event.objects.filter(data__icontains=secret).exists()
    assert not AuditEntry.objects.filter(facts__icontains=secret).exists()


def test_making_and_ending_a_key_stand_in_the_stream_and_in_the_trail() -> None:
    key, _ = make_key()
    revoke_api_key(key=key, principal=make_principal(key.workspace), now=clock.now())
    expected = ["api_key.created", "api_key.revoked"]
    assert list(Event.objects.order_by("seq").values_list("type", flat=True)) == expected
    assert list(AuditEntry.objects.order_by("seq").values_list("action", flat=True)) == expected


def test_the_right_text_gives_the_key_and_notes_its_use_at_most_once_a_minute() -> None:
    key, text = make_key()
    start = clock.now()
    assert authenticate_key(text, now=start) == key
    assert authenticate_key(text, now=start + timedelta(seconds=59)) == key
    assert ApiKey.objects.get(pk=key.pk).last_used_at == start
    later = start + timedelta(seconds=61)
    assert authenticate_key(text, now=later) == key
    assert ApiKey.objects.get(pk=key.pk).last_used_at == later


def test_every_other_text_gives_nothing() -> None:
    key, text = make_key()
    now = clock.now()
    changed = text[:-1] + ("A" if text[-1] != "A" else "B")
    for wrong in ("", "ge_", changed, text.upper(), f"{text} ", text.replace(key.prefix, "0000000000"), "x" * 5000):
        assert authenticate_key(wrong, now=now) is None, wrong[:40]


def test_a_key_that_ended_gives_nothing() -> None:
    now = clock.now()
    expiring, text = make_key(expires_at=now + timedelta(days=1))
    assert authenticate_key(text, now=now + timedelta(hours=23)) == expiring
    assert authenticate_key(text, now=now + timedelta(hours=25)) is None
    revoked, text = make_key()
    revoke_api_key(key=revoked, principal=make_principal(revoked.workspace), now=now)
    assert authenticate_key(text, now=now) is None


def test_a_key_never_does_more_than_an_admin_lets_it() -> None:
    workspace = make_workspace()
    editor = make_principal(workspace, Role.EDITOR)
    with pytest.raises(NotAllowed, match="Admin"):
        create_api_key(principal=editor, name="mine", role=Role.ADMIN, scopes=["read"], now=clock.now())
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    ("name", "scopes", "days"),
    [(" ", ["read"], None), ("x", [], None), ("x", ["everything"], None), ("x", ["read"], -1)],
)
def test_a_key_without_a_name_a_known_scope_or_a_future_is_refused(
    name: str, scopes: list[str], days: int | None
) -> None:
    now = clock.now()
    ends = now + timedelta(days=days) if days else None
    with pytest.raises(KeyRefused):
        create_api_key(
            principal=make_principal(make_workspace()),
            name=name,
            role=Role.EDITOR,
            scopes=scopes,
            now=now,
            expires_at=ends,
        )


def test_an_unknown_prefix_is_compared_as_carefully_as_a_known_one() -> None:
    """Not a timing test: it only rules out a shortcut of another order of magnitude."""
    _, text = make_key()
    wrong_secret, wrong_prefix = text[:-4] + "AAAA", text.replace(text[3:13], "f" * 10)

    def median_us(raw: str) -> float:
        times = []
        for _ in range(30):
            start = time.perf_counter_ns()
            authenticate_key(raw, now=clock.now())
            times.append(time.perf_counter_ns() - start)
        return statistics.median(times) / 1000

    ratio = median_us(wrong_secret) / median_us(wrong_prefix)
    assert 0.2 < ratio < 5
