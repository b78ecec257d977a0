"""Ask a language model for the pictures of a plan: reserved, sent once, settled, checked, asked again once at most.

Whatever goes wrong, the brief is planned: by the built-in planner then, with the reason among the plan's notes.
"""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing.caps.types import Owners
from billing.ledger.models import Reservation, Stage
from billing.ledger.services import CapReached, commit, reserve, settle
from campaigns.briefs.models import Brief
from campaigns.planning.builtin import BuiltinPlanner
from campaigns.planning.language import ANSWER_TOKENS, SYSTEM, Question, ask_about, read_storyboard
from campaigns.planning.models import AskState, PlannerAsk, PlanRevision
from campaigns.planning.queries import brief_digest, brief_values
from campaigns.planning.services import make_plan
from campaigns.planning.types import BriefNotReady, BriefValues, ChangeRefused, Storyboard
from genengine.core import clock
from genengine.core.db import retry_conflicts, unit_of_work
from genengine.core.money import to_micro
from genengine.workspaces.models import Workspace
from genengine.workspaces.policy import Action, Principal, principal_of_user, require
from jobs.execution.pricing import cost_micro
from jobs.execution.queue import enqueue
from jobs.routing.types import NothingFits
from providers.base import RemoteAdapter
from providers.credentials.queries import provider_readiness
from providers.errors import ContentRefused, OutcomeUnknown, ProviderError
from providers.http import Timeouts
from providers.registry.queries import card_in_force, cards_in_force
from providers.registry.services import build_adapter
from providers.values import Finished, GenerationRequest, ModelCard, StagedInputs, Task

ROUNDS = 2
# Two rounds must end before the queue gives a task up (90 s).
PATIENCE = Timeouts(connect=5, read=30, submit=38)
OPEN = (AskState.WAITING, AskState.ASKING)


class AskFailed(Exception):
    """The model gave no plan that can be used; the text is the reason, for the plan's notes."""


@dataclass(frozen=True)
class LanguageModel:
    """A model that a workspace may ask. `refusal` is a sentence where it may not."""

    id: str
    label: str
    provider: str
    refusal: str = ""


@dataclass
class GivenStoryboard:
    """A planner that has its storyboard already; for a brief that was edited meanwhile the built-in one plans."""

    name: str
    digest: str
    storyboard: Storyboard

    def plan(self, brief: BriefValues) -> Storyboard:
        """Return the storyboard, unless it was made for another brief."""
        if brief_digest(brief) == self.digest:
            return self.storyboard
        return noted(BuiltinPlanner().plan(brief), f"{self.name} answered for an older brief, which was edited since")


@dataclass
class BuiltinWithReason:
    """The built-in planner where a language model was asked for: the plan says why."""

    reason: str
    name: str = BuiltinPlanner.name

    def plan(self, brief: BriefValues) -> Storyboard:
        """Return the built-in storyboard with the reason as its first note."""
        return noted(BuiltinPlanner().plan(brief), self.reason)


def noted(storyboard: Storyboard, reason: str) -> Storyboard:
    """Put a reason before the notes of a storyboard."""
    return replace(storyboard, notes=(f"Planned by the built-in planner: {reason}.", *storyboard.notes))


def language_models(workspace: Workspace, *, at: datetime) -> tuple[LanguageModel, ...]:
    """Return the models that plan scenes, each with the reason where this workspace cannot ask it."""
    ready = provider_readiness(workspace=workspace)
    live = workspace.mode == "live"
    found = []
    for entry in cards_in_force(workspace=workspace, at=at).values():
        card = entry.card
        if Task.PLAN_SCENES not in card.tasks:
            continue
        refusal = ready[card.provider].reason
        if not refusal and live and card.unverified:
            refusal = f"{card.label} is unverified; pass a test call under Providers first."
        found.append(LanguageModel(card.id, card.label, card.provider, refusal))
    return tuple(found)


@retry_conflicts
def ask_model(*, brief: Brief, model: str, principal: Principal, now: datetime) -> PlannerAsk:
    """Queue a plan by this model; while one is being made for the brief, return that one."""
    require(principal, Action.EDIT_PLAN, brief)
    if principal.user is None:
        raise ChangeRefused("a plan by a language model is asked for by a person; sign in and ask again")
    chosen = next((item for item in language_models(brief.workspace, at=now) if item.id == model), None)
    if chosen is None or chosen.refusal:
        raise ChangeRefused(chosen.refusal if chosen else f"there is no language model {model!r}; choose one listed")
    ask_about(brief_values(brief))
    with unit_of_work():
        Brief.objects.select_for_update(of=("self",)).get(pk=brief.pk)
        open_one = PlannerAsk.objects.of(brief.workspace_id).filter(brief=brief, state__in=OPEN).first()
        if open_one is not None:
            return open_one
        ask = PlannerAsk.objects.create(
            workspace_id=brief.workspace_id, brief=brief, provider=chosen.provider, model=chosen.id,
            mode=brief.workspace.mode, author=principal.user, created_at=now,
        )  # fmt: skip
        enqueue("campaigns.planning.tasks.answer_ask", ask.pk)
    return ask


def newest_ask(brief: Brief) -> PlannerAsk | None:
    """Return the latest plan that was asked of a language model."""
    return PlannerAsk.objects.of(brief.workspace_id).filter(brief=brief).order_by("-created_at").first()


def answer(ask_id: UUID) -> None:
    """Ask, check, plan. Delivered again after a crash it never sends a second paid call for the same question."""
    ask = PlannerAsk.objects.select_related("brief__workspace", "brief__brand_kit", "author").get(pk=ask_id)
    principal = principal_of_user(ask.author, ask.brief.workspace) if ask.author else None
    if not ask.is_open:
        return
    if principal is None:
        _finish(ask, AskState.FAILED, "who asked for it is no longer a member of this workspace")
        return
    question: Question | None = None
    try:
        values = brief_values(ask.brief)
        question = ask_about(values)
        storyboard = _storyboard(ask, question)
        director: GivenStoryboard | BuiltinWithReason = GivenStoryboard(
            ask.model.rpartition("/")[2][:32], brief_digest(values), storyboard
        )
        state, note = AskState.DONE, ""
    except BriefNotReady as missing:
        _finish(ask, AskState.FAILED, str(missing))
        return
    except AskFailed as failed:
        director, state, note = BuiltinWithReason(str(failed)), AskState.FELL_BACK, str(failed)
    try:
        revision = make_plan(brief=ask.brief, principal=principal, now=clock.now(), director=director)
    except (BriefNotReady, NothingFits) as missing:
        _finish(ask, AskState.FAILED, str(missing))
        return
    _finish(ask, state, note, revision)


def _finish(ask: PlannerAsk, state: str, note: str, revision: PlanRevision | None = None) -> None:
    PlannerAsk.objects.filter(pk=ask.pk).update(
        state=state, note=note[:500], revision=revision, finished_at=clock.now()
    )


def _storyboard(ask: PlannerAsk, question: Question) -> Storyboard:
    """Return the model's storyboard after at most one repair round. Raises `AskFailed` with the reason."""
    if ask.open_reservation_id is not None:
        _presume(ask)
        raise AskFailed(f"the answer of {ask.model} was lost when a worker stopped; the call counts as paid")
    card = card_in_force(ask.model, workspace=ask.workspace_id, at=clock.now()).card
    adapter = _adapter(ask)
    prompt = question.asked
    problems: tuple[str, ...] = ("it gave no answer",)
    for _ in range(ROUNDS - ask.rounds):
        finished = _paid_call(ask, card, adapter, question, prompt)
        text = finished.text or str(finished.raw.get("answer") or "")
        storyboard, problems = read_storyboard(question, text)
        if storyboard is not None:
            return storyboard
        prompt = question.again(problems)
    raise AskFailed(f"{card.label} gave no usable plan, asked twice: {problems[0].rstrip('.')}"[:400])


def _adapter(ask: PlannerAsk) -> RemoteAdapter:
    try:
        adapter = build_adapter(provider=ask.provider, workspace=ask.brief.workspace, mode=ask.mode)
    except ProviderError as error:
        raise AskFailed(error.message.rstrip(".")) from error
    assert isinstance(adapter, RemoteAdapter)
    adapter.client.timeouts = PATIENCE
    return adapter


def _paid_call(ask: PlannerAsk, card: ModelCard, adapter: RemoteAdapter, question: Question, prompt: str) -> Finished:
    """One call under the caps: held and counted as spent before it is sent, corrected to the vendor's figure after."""
    options = {"system": SYSTEM, "schema": question.schema, "max_tokens": ANSWER_TOKENS}
    request = GenerationRequest(Task.PLAN_SCENES, ask.model, prompt, options=options)
    characters = len(prompt) + len(SYSTEM) + len(str(question.schema))
    upper = to_micro(card.price.total(seconds=Decimal(0), characters=characters))
    reservation = _reserve(ask, upper)
    try:
        finished = adapter.submit(request, StagedInputs(), idempotency_key=f"{ask.pk}-{ask.rounds}")
        assert isinstance(finished, Finished)
    except (OutcomeUnknown, ContentRefused) as error:
        _settle(ask, reservation, reservation.amount_micro, "the vendor may charge it")
        raise AskFailed(f"{error.message.rstrip('.')}; the call counts as paid") from error
    except ProviderError as error:
        _settle(ask, reservation, 0, "refused before any work")
        raise AskFailed(error.message.rstrip(".")) from error
    cost = cost_micro(card, finished.cost)
    _settle(ask, reservation, reservation.amount_micro if cost is None else cost, "")
    return finished


@retry_conflicts
def _reserve(ask: PlannerAsk, amount_micro: int) -> Reservation:
    now = clock.now()
    try:
        with unit_of_work():
            reservation = reserve(
                workspace=ask.brief.workspace, book=ask.mode, job_id=ask.pk, subject_id=uuid.uuid4(),
                provider=ask.provider, model=ask.model, amount_micro=amount_micro, now=now, stage=Stage.PLAN,
                owners=Owners(campaign_id=ask.brief.campaign_id, member_id=ask.author_id),
            )  # fmt: skip
            commit(reservation=reservation, attempt_id=reservation.subject_id, now=now, note="asked for a plan")
            ask.rounds, ask.state, ask.open_reservation_id = ask.rounds + 1, AskState.ASKING, reservation.pk
            ask.save(update_fields=["rounds", "state", "open_reservation_id"])
    except CapReached as reached:
        raise AskFailed(str(reached).rstrip(".")) from reached
    return reservation


@retry_conflicts
def _settle(ask: PlannerAsk, reservation: Reservation, actual_micro: int, note: str) -> None:
    with unit_of_work():
        settle(
            reservation=reservation, attempt_id=reservation.subject_id, actual_micro=actual_micro, now=clock.now(),
            note=note,
        )  # fmt: skip
        ask.open_reservation_id, ask.spent_micro = None, ask.spent_micro + actual_micro
        ask.save(update_fields=["open_reservation_id", "spent_micro"])


def _presume(ask: PlannerAsk) -> None:
    reservation = Reservation.objects.of(ask.workspace_id).get(pk=ask.open_reservation_id)
    _settle(ask, reservation, reservation.amount_micro, "the answer was lost; presumed spent")
