"""The voices page: what the accounts list, searched and paged, and samples that come through this server."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from django.core.cache import cache
from django.test import Client

from genengine.core import clock
from genengine.workspaces.models import Mode, Workspace
from providers.credentials.models import ProviderAccount
from providers.credentials.vault import seal
from providers.emulator.accounts import simulated_credentials
from providers.registry.services import remote_adapter
from providers.voice_values import Voice
from providers.voices import queries
from providers.voices.queries import language_name, matching
from tests.contracts.emulator_process import EmulatorProcess
from tests.factories.jobs import make_principal, make_workspace

pytestmark = pytest.mark.django_db
NOBODY = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(f"w{uuid.uuid4().hex[:8]}")


@pytest.fixture
def visitor(client: Client, workspace: Workspace) -> Client:
    admin = make_principal(workspace)
    assert admin.user is not None
    client.force_login(admin.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def page(visitor: Client, workspace: Workspace, **query: str) -> Any:
    answer = visitor.get(f"/w/{workspace.slug}/settings/voices", query)
    assert answer.status_code == 200
    return answer


def names(answer: Any) -> list[str]:
    return [voice.name for voice, _ in answer.context["page"].object_list]


def test_a_simulated_workspace_lists_the_emulators_voices_and_searches_them(
    visitor: Client, workspace: Workspace, emulator: EmulatorProcess
) -> None:
    everything = page(visitor, workspace, provider="elevenlabs")
    assert names(everything) == ["Adam", "Rachel", "Test"]
    assert "English, German" in everything.content.decode()
    assert names(page(visitor, workspace, provider="elevenlabs", language="German")) == ["Adam"]
    assert names(page(visitor, workspace, provider="elevenlabs", q="RACH female")) == ["Rachel"]
    assert "No voice matches" in page(visitor, workspace, provider="elevenlabs", q="zzz").content.decode()
    assert "Klar" in names(page(visitor, workspace, provider="heygen", language="German"))


@pytest.mark.parametrize(
    ("provider", "path", "size", "told", "asked", "listed"),
    [
        ("elevenlabs", "/v2/voices", "page_size", "next_page_token", "next_page_token", "voices"),
        ("heygen", "/v3/voices", "limit", "next_token", "token", "data"),
    ],
)
def test_a_list_of_a_vendor_is_read_to_its_last_page(
    workspace: Workspace, emulator: EmulatorProcess, provider: str, path: str, size: str, told: str, asked: str,
    listed: str,
) -> None:  # fmt: skip
    adapter = remote_adapter(provider=provider, workspace=workspace.pk, mode=Mode.SIMULATED)
    pages = list(adapter.read_pages(path, {size: "1"}, told=told, asked=asked))
    ids = [voice["voice_id"] for page in pages for voice in page[listed]]
    assert len(ids) == len(set(ids)) == len(pages) == len(adapter.voices())  # type: ignore[attr-defined]


def test_a_sample_is_played_through_this_server(
    visitor: Client, workspace: Workspace, emulator: EmulatorProcess
) -> None:
    for provider, kind in (("elevenlabs", "audio/mpeg"), ("heygen", "audio/wav")):
        listed = page(visitor, workspace, provider=provider).context["page"].object_list
        asked = {"provider": provider, "voice": listed[0][0].voice_id}
        heard = visitor.get(f"/w/{workspace.slug}/settings/voices/sample", asked)
        assert (heard.status_code, heard["Content-Type"]) == (200, kind)
        assert len(heard.content) > 1000
        gone = visitor.get(f"/w/{workspace.slug}/settings/voices/sample", {**asked, "voice": "none"})
        assert (gone.status_code, "has no sample" in gone.content.decode()) == (400, True)


def test_a_sample_that_lies_in_a_private_network_is_not_fetched(
    visitor: Client, workspace: Workspace, emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = queries.VoiceBook((Voice("v", "V", preview_url="http://10.0.0.1/a.mp3"),), clock.now())
    monkeypatch.setattr("providers.voices.views.voice_book", lambda **_: book)
    answer = visitor.get(f"/w/{workspace.slug}/settings/voices/sample", {"provider": "elevenlabs", "voice": "v"})
    assert (answer.status_code, "could not be fetched" in answer.content.decode()) == (400, True)


def test_voices_come_in_pages_and_are_asked_for_once_an_hour(
    visitor: Client, workspace: Workspace, emulator: EmulatorProcess
) -> None:
    key = simulated_credentials("elevenlabs", str(workspace.pk))["api_key"]
    for number in range(30):
        body = {"name": f"Speaker {number:02}", "language": "en"}
        address = f"{emulator.url}/elevenlabs/v1/voices/pvc"
        assert requests.post(address, json=body, headers={"xi-api-key": key}, timeout=60).status_code == 200
    first = page(visitor, workspace, provider="elevenlabs", q="speaker")
    assert (len(names(first)), first.context["page"].paginator.count) == (24, 30)
    second = page(visitor, workspace, provider="elevenlabs", q="speaker", page="2")
    assert names(second) == [f"Speaker {number}" for number in range(24, 30)]
    assert "q=speaker" in first.content.decode()
    requests.post(
        f"{emulator.url}/elevenlabs/v1/voices/pvc", json={"name": "New", "language": "en"},
        headers={"xi-api-key": key}, timeout=60,
    )  # fmt: skip
    assert "New" not in names(page(visitor, workspace, provider="elevenlabs", q="new"))
    cache.clear()
    assert names(page(visitor, workspace, provider="elevenlabs", q="new")) == ["New"]


def test_a_live_workspace_without_a_key_is_told_to_add_one_and_with_one_lists_its_own(
    visitor: Client, workspace: Workspace, emulator: EmulatorProcess
) -> None:
    workspace.mode = Mode.LIVE
    workspace.save()
    told = page(visitor, workspace, provider="elevenlabs").content.decode()
    assert "No ElevenLabs account yet" in told
    ProviderAccount.objects.create(
        workspace=workspace, provider="elevenlabs", label="Ours", base_url=f"{emulator.url}/elevenlabs",
        fields=["api_key"], secret=seal({"api_key": uuid.uuid4().hex}), verified_at=clock.now(), created_at=clock.now(),
    )  # fmt: skip
    assert names(page(visitor, workspace)) == ["Adam", "Rachel", "Test"]


def test_a_vendor_that_does_not_answer_is_told_in_words(visitor: Client, workspace: Workspace, settings: Any) -> None:
    settings.EMULATOR_URL = NOBODY
    told = page(visitor, workspace, provider="elevenlabs").content.decode()
    assert ("ElevenLabs did not list its voices" in told, "asked for again in a minute" in told) == (True, True)


def test_languages_are_named_alike_whether_codes_or_names() -> None:
    assert [language_name(word) for word in ("de", "pt-BR", "German", "Klingon")] == [
        "German", "Brazilian Portuguese", "German", "Klingon",
    ]  # fmt: skip
    voices = [Voice("1", "Ada", languages=("en", "de")), Voice("2", "Bo", labels={"accent": "irish"})]
    assert matching(voices, words="", language="German") == voices[:1]
    assert matching(voices, words="bo IRISH", language="") == voices[1:]
