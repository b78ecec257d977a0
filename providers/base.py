"""The contract every provider adapter fulfils. Plain Python: no ORM, settings, sleep, retry or fallback.

Three shapes (``docs/explanation``): a remote task is submitted, polled and fetched; a remote call answers
``Finished`` at once; an in-process engine renders here. The base class owns timeouts, redaction, correlation
ids and the mapping from HTTP to errors; an adapter owns the vendor's words and shapes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import requests

from providers.cleaning import CLEANED, clean_error, cleaned
from providers.errors import (
    ContentRefused,
    CredentialsRejected,
    ErrorKind,
    Exchange,
    InvalidRequest,
    OutcomeUnknown,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    Transient,
    Unsupported,
    WebhookRejected,
)
from providers.fetch import DEFAULT_MAX_BYTES, fetch_to_file
from providers.http import CallKind, Redactor, Reply, Timeouts, VendorClient, new_session
from providers.limits import TrafficLimits
from providers.values import (
    Accepted,
    AccountReport,
    Artefact,
    CancelOutcome,
    CancelResult,
    Estimate,
    Finished,
    GenerationRequest,
    InputAsset,
    ModelCard,
    Output,
    RemoteState,
    RemoteTask,
    StagedInputs,
    TaskReport,
    snap_request,
)
from providers.voice_values import Voice

Clock = Callable[[], datetime]
MOST_PAGES = 50  # of one list, whatever a vendor says of more

ERROR_OF_KIND: dict[ErrorKind, type[ProviderError]] = {
    ErrorKind.TRANSIENT: Transient,
    ErrorKind.RATE_LIMITED: RateLimited,
    ErrorKind.QUOTA_EXHAUSTED: QuotaExhausted,
    ErrorKind.INVALID_REQUEST: InvalidRequest,
    ErrorKind.CONTENT_REFUSED: ContentRefused,
    ErrorKind.CREDENTIALS_REJECTED: CredentialsRejected,
    ErrorKind.UNSUPPORTED: Unsupported,
    ErrorKind.OUTCOME_UNKNOWN: OutcomeUnknown,
}


def utc_now() -> datetime:
    return datetime.now(UTC)


class ProviderAdapter(ABC):
    """What all three shapes share: a name, declared models, an estimate."""

    name: ClassVar[str]
    label: ClassVar[str]
    models: ClassVar[tuple[ModelCard, ...]]
    docs_url: ClassVar[str] = ""
    credential_fields: ClassVar[tuple[str, ...]] = ()
    is_local: ClassVar[bool] = False
    agreed: Callable[[], ModelCard] | None = None  # the terms that the work was planned by; read when priced
    is_self_hosted: ClassVar[bool] = False  # a server of the user's own: not offered until one is connected

    @classmethod
    def card(cls, model: str) -> ModelCard:
        """The card of one of this provider's models."""
        for card in cls.models:
            if card.id == model:
                return card
        raise Unsupported(f"{cls.label} has no model {model!r}; it has {', '.join(c.id for c in cls.models)}.")

    def priced(self, model: str) -> ModelCard:
        """The card whose price was agreed for the work at hand, else the adapter's own."""
        agreed = self.agreed() if self.agreed is not None else None
        return agreed if agreed is not None and agreed.id == model else self.card(model)

    def estimate(self, request: GenerationRequest) -> Estimate:
        """Price and time of a request after snapping it to the model's limits."""
        card = self.card(request.model)
        fitted, notes = snap_request(card, request)
        seconds = self.billed_seconds(card, fitted)
        amount = card.price.total(seconds=seconds, tier=self.price_tier(fitted), characters=len(fitted.prompt))
        expected = card.speed_s_per_s * max(float(seconds), 1.0)
        return Estimate(amount, card.price.currency, round(expected, 1), round(expected * 2, 1), seconds, notes)

    def billed_seconds(self, card: ModelCard, request: GenerationRequest) -> Decimal:
        """Seconds the vendor charges for: the snapped length unless the vendor counts otherwise."""
        return Decimal(str(request.duration_s))

    def price_tier(self, request: GenerationRequest) -> str:
        """The key into the price's tiers: the resolution, with ``+audio`` when sound is asked for."""
        sound = str(request.options.get("audio", "off")) not in ("off", "False", "false", "")
        return f"{request.resolution}+audio" if sound else request.resolution


class InProcessEngine(ProviderAdapter):
    """Makes the clip on this machine. It runs inside a media task, never in the pump."""

    is_local = True

    @abstractmethod
    def render(
        self,
        request: GenerationRequest,
        sink: Path,
        progress: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Finished:
        """Render into the folder ``sink``; ``progress`` gets frames done and in all, ``cancelled`` is asked often."""


class RemoteAdapter(ProviderAdapter):
    """A vendor over HTTP. Everything it needs is injected; it keeps no state but its exchanges."""

    live_url: ClassVar[str]
    credential_fields: ClassVar[tuple[str, ...]] = ("api_key",)
    needs_credentials: ClassVar[bool] = True
    states: ClassVar[Mapping[str, RemoteState]] = {}
    unknown_window: ClassVar[timedelta] = timedelta(hours=1)
    poll_interval: ClassVar[timedelta] = timedelta(seconds=5)
    traffic: ClassVar[TrafficLimits] = TrafficLimits()
    model_traffic: ClassVar[Mapping[str, TrafficLimits]] = {}  # by model, on top of the account's
    can_find_by_key: ClassVar[bool] = False
    emulated_as: ClassVar[str] = ""  # the emulator's prefix when it is not the name
    lists_voices: ClassVar[bool] = False
    max_output_bytes: ClassVar[int] = DEFAULT_MAX_BYTES

    def __init_subclass__(cls, **named: Any) -> None:
        """What an adapter of a vendor says goes out cleaned of its credentials; no adapter has to think of it."""
        super().__init_subclass__(**named)
        for name in CLEANED:
            if name in vars(cls):
                setattr(cls, name, cleaned(vars(cls)[name]))

    def __init__(
        self,
        *,
        session: requests.Session | None = None,
        credentials: Mapping[str, str],
        base_url: str = "",
        clock: Clock = utc_now,
        correlation_id: str = "",
        timeouts: Timeouts | None = None,
    ) -> None:
        self.credentials = dict(credentials)
        self.base_url = (base_url or self.live_url).rstrip("/")
        self.clock = clock
        self.timeouts = timeouts or Timeouts()
        self.redactor = Redactor(self.secrets())
        self.client = VendorClient(
            session=session or new_session(self.base_url),
            base_url=self.base_url,
            redactor=self.redactor,
            correlation_id=correlation_id,
            timeouts=self.timeouts,
        )

    # -- what an adapter writes ------------------------------------------------------------------------------

    @abstractmethod
    def auth_headers(self) -> Mapping[str, str]:
        """The headers that sign in at the vendor; sent to ``base_url`` only."""

    @abstractmethod
    def submit(
        self,
        request: GenerationRequest,
        staged: StagedInputs,
        *,
        idempotency_key: str,
        callback_url: str = "",
        sink: Path | None = None,
    ) -> Accepted | Finished:
        """Send the one paid call. A synchronous vendor writes its answer into ``sink`` and returns ``Finished``."""

    def stage_inputs(self, inputs: tuple[InputAsset, ...], *, ratio: str = "") -> StagedInputs:
        """Bring input files to the vendor: upload, inline, or an ephemeral address. Never costs money.

        ``ratio`` is the picture asked for: a vendor whose output follows its first frame gets that frame cropped.
        """
        if inputs:
            raise Unsupported(f"{self.label} takes no input files here; remove them from the request.")
        return StagedInputs()

    def find_by_key(self, idempotency_key: str, *, request: GenerationRequest | None = None) -> RemoteTask | None:
        """The task a lost submit made, or ``None`` when the vendor surely has none."""
        raise Unsupported(f"{self.label} cannot look a task up by our key; wait {self.unknown_window} for a webhook.")

    def voices(self, search: str = "") -> list[Voice]:
        """Every voice that the account may use; free of charge. Only where ``lists_voices`` says so."""
        raise Unsupported(f"{self.label} has no voices here; choose a provider of speech.")

    def poll(self, task: RemoteTask) -> TaskReport:
        """Where the task stands; free of charge and safe to repeat."""
        raise Unsupported(f"{self.label} answers at once; there is nothing to poll.")

    def cancel(self, task: RemoteTask) -> CancelOutcome:
        """Ask the vendor to stop. The default is the truth for vendors without such a call."""
        return CancelOutcome(
            CancelResult.NOT_SUPPORTED,
            f"{self.label} has no way to cancel a task; it runs on and may be charged.",
        )

    def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raise ``WebhookRejected`` unless the vendor sent this body."""
        raise WebhookRejected(f"{self.label} webhooks are not used here; remove the address at the vendor.")

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[TaskReport]:
        """The reports in a verified webhook, the type ``poll`` gives."""
        return []

    @abstractmethod
    def check_credentials(self) -> AccountReport:
        """A free call that proves the credentials; raises ``CredentialsRejected`` when they do not hold."""

    def error_from(self, reply: Reply, kind: CallKind) -> ProviderError | None:
        """The vendor's own error in a reply, or ``None`` to fall back on the HTTP status alone."""
        return None

    # -- what the base class owns ----------------------------------------------------------------------------

    def secrets(self) -> tuple[str, ...]:
        """Values that must never be kept: every credential."""
        return tuple(str(value) for value in self.credentials.values() if value)

    def credential(self, name: str) -> str:
        """One credential, or a refusal that says which one is missing."""
        value = self.credentials.get(name, "")
        if not value:
            raise CredentialsRejected(f"{self.label} needs {name}; add it under Providers.")
        return value

    @property
    def exchanges(self) -> list[Exchange]:
        return self.client.exchanges

    def take_exchanges(self) -> tuple[Exchange, ...]:
        """The calls since the last taking, redacted, oldest first."""
        taken = tuple(self.client.exchanges)
        self.client.exchanges.clear()
        return taken

    def call(self, kind: CallKind, method: str, path: str, **options: Any) -> Reply:
        """One signed call; a reply that is an error is raised as the named error it stands for."""
        headers = {**self.auth_headers(), **(options.pop("headers", None) or {})}
        reply = self.client.call(kind, method, path, headers=headers, **options)
        error = self.error_from(reply, kind) or error_from_status(self.label, reply, kind)
        if error is not None:
            error.exchange = reply.exchange
            raise clean_error(self.redactor, error)
        return reply

    def call_json(self, kind: CallKind, method: str, path: str, **options: Any) -> tuple[dict[str, Any], Reply]:
        """``call`` for an answer that must be a JSON object: a stray page is never taken for "nothing there"."""
        reply = self.call(kind, method, path, **options)
        return self.require_object(reply, kind), reply

    def read_pages(self, path: str, params: Mapping[str, str], *, told: str, asked: str) -> Iterator[dict[str, Any]]:
        """The pages of a list that says ``has_more``: the next one's token is told and asked for by these names."""
        for _ in range(MOST_PAGES):
            body, _reply = self.call_json(CallKind.READ, "GET", path, params=params)
            yield body
            token = str(body.get(told) or "")
            if not body.get("has_more") or not token:
                return
            params = {**params, asked: token}

    def require_object(self, reply: Reply, kind: CallKind) -> dict[str, Any]:
        """The JSON object of a good reply; anything else after a submit is an unknown outcome."""
        if isinstance(reply.json, dict):
            return reply.json
        message = f"{self.label} answered {reply.status} with something that is not a JSON object."
        raise (OutcomeUnknown if kind is CallKind.SUBMIT else Transient)(message, exchange=reply.exchange)

    def state_of(self, word: str) -> RemoteState:
        """The vendor's word as a state; an unlisted word is UNKNOWN and kept raw by the report."""
        return self.states.get(word, RemoteState.UNKNOWN)

    def fetch_output(self, report: TaskReport, sink: Path) -> list[Artefact]:
        """Stream every output of a report into the folder ``sink``, hashed; no key leaves for another host."""
        return [self._fetch_one(report, output, index, sink) for index, output in enumerate(report.outputs)]

    def _fetch_one(self, report: TaskReport, output: Output, index: int, sink: Path) -> Artefact:
        return self.fetch_from(self.base_url, output.url, output, index, sink)

    def fetch_from(self, own_base_url: str, url: str, output: Output, index: int, sink: Path) -> Artefact:
        """Fetch ``url``; the key goes along only when it is needed and the address is below ``own_base_url``."""
        signed = output.needs_auth and same_origin(own_base_url, url)
        return fetch_to_file(
            url,
            sink,
            stem=f"{output.kind}-{index}",
            headers=self.auth_headers() if signed else {},
            own_base_url=own_base_url,
            media_type=output.media_type,
            kind=output.kind,
            max_bytes=self.max_output_bytes,
            timeouts=self.timeouts,
            redactor=self.redactor,
            exchanges=self.client.exchanges,
        )


def same_origin(base_url: str, url: str) -> bool:
    """True when both have the same scheme, host and port."""
    ours, theirs = urlsplit(base_url), urlsplit(url)
    return (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)


def error_from_status(label: str, reply: Reply, kind: CallKind) -> ProviderError | None:
    """What the HTTP status alone says. A 5xx after a submit proves nothing: the task may exist."""
    if reply.ok:
        return None
    status, words = reply.status, f"{label} answered {reply.status}"
    code = str(status)
    if status in (401, 403):
        return CredentialsRejected(f"{words}: the key is not accepted. Check it under Providers.", code)
    if status == 402:
        return QuotaExhausted(f"{words}: the account has no credit left.", code)
    if status == 429:
        return RateLimited(f"{words}: too many requests.", code, retry_after=reply.retry_after)
    if status in (400, 404, 405, 413, 415, 422):
        return InvalidRequest(f"{words}: the request is not valid.", code, reply.exchange.response_body[:500])
    if status == 409 or status < 400:
        return InvalidRequest(f"{words}, which this call does not expect.", code)
    if kind is CallKind.SUBMIT:
        return OutcomeUnknown(f"{words} to a submit; look the task up before anything is sent again.", code)
    return Transient(f"{words}. Try again later.", code)
