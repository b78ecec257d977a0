"""The voices page of a workspace, and the samples it plays."""

from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from genengine.core import clock
from genengine.workspaces.access import WorkspaceRequest, workspace_page
from genengine.workspaces.policy import Action
from providers.errors import ProviderError
from providers.fetch import fetch_to_file
from providers.voice_values import Voice
from providers.voices.forms import VoiceSearch
from providers.voices.queries import (
    VoiceBook,
    language_name,
    languages_of,
    matching,
    sources,
    speaking_adapter,
    voice_book,
)

PAGE = 24
SAMPLE_BYTES = 20_000_000


@require_safe
@workspace_page(Action.MANAGE_CREDENTIALS)
def voices(request: WorkspaceRequest) -> HttpResponseBase:
    """The voices of one connected speech account, searched by words and language."""
    workspace = request.principal.workspace
    known = sources(workspace=workspace)
    asked = request.GET.get("provider", "")
    source = next((one for one in known if one.provider == asked), known[0] if known else None)
    book = None
    if source is not None and source.ready:
        book = voice_book(workspace=workspace, provider=source.provider, now=clock.now())
    listed = book.voices if book else ()
    search = VoiceSearch(request.GET, languages=languages_of(listed))
    found = matching(listed, **search.values())
    page = Paginator([(voice, _languages(voice)) for voice in found], PAGE).get_page(request.GET.get("page"))
    context = {
        "sources": known,
        "source": source,
        "book": book,
        "search": search,
        "page": page,
        "query": urlencode({"provider": source.provider if source else "", **search.as_query()}),
        "tab": "providers",
        "section": "settings",
    }
    return render(request, "providers/voices.html", context)


@require_safe
@workspace_page(Action.MANAGE_CREDENTIALS)
def sample(request: WorkspaceRequest) -> HttpResponseBase:
    """The sample of one voice, fetched by this server: the browser talks to nobody else."""
    workspace, provider = request.principal.workspace, request.GET.get("provider", "")
    ready = {one.provider for one in sources(workspace=workspace) if one.ready}
    if provider not in ready:
        return _no_sample("Name a connected provider of voices.")
    voice = _voice(voice_book(workspace=workspace, provider=provider, now=clock.now()), request.GET.get("voice", ""))
    if voice is None or not voice.preview_url:
        return _no_sample("This voice has no sample; open the Voices page again for the list as it is now.")
    adapter = speaking_adapter(workspace=workspace, provider=provider)
    with TemporaryDirectory() as folder:
        try:
            heard = fetch_to_file(
                voice.preview_url, Path(folder), stem="sample", own_base_url=adapter.base_url,
                kind="audio", max_bytes=SAMPLE_BYTES, timeouts=adapter.timeouts,
            )  # fmt: skip
        except ProviderError as error:
            return _no_sample(error.message)
        if not heard.media_type.startswith("audio/"):
            return _no_sample("What the provider names as the sample is no sound.")
        answer = HttpResponse(heard.path.read_bytes(), content_type=heard.media_type)
    answer["Cache-Control"] = "private, max-age=3600"
    return answer


def _voice(book: VoiceBook, voice_id: str) -> Voice | None:
    return next((voice for voice in book.voices if voice.voice_id == voice_id), None)


def _languages(voice: Voice) -> str:
    return ", ".join(dict.fromkeys(map(language_name, voice.languages)))


def _no_sample(words: str) -> HttpResponse:
    return HttpResponse(words, status=400, content_type="text/plain; charset=utf-8")
