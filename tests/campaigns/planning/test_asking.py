"""A plan by a language model, asked of the emulator as a real process and paid through the ledger."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing.ledger.models import Reservation, Stage
from billing.ledger.queries import ledger_problems
from campaigns.briefs.models import Brief
from campaigns.briefs.services import update_brief
from campaigns.planning.asking import ask_model, language_models
from campaigns.planning.models import AskState, PlannerAsk, PlanRevision
from campaigns.planning.tasks import answer_ask
from campaigns.planning.types import ChangeRefused
from genengine.workspaces.policy import Principal
from tests.contracts.emulator_process import EmulatorProcess

GEMINI, SOL = "gemini-3.8-flash", "gpt-6-sol"


def planned(brief: Brief, editor: Principal, now: datetime, model: str = GEMINI) -> PlannerAsk:
    ask = ask_model(brief=brief, model=model, principal=editor, now=now)
    answer_ask(ask.pk)
    ask.refresh_from_db()
    return ask


def revision_of(ask: PlannerAsk) -> PlanRevision:
    assert ask.revision is not None
    return ask.revision


@pytest.mark.parametrize("model", [GEMINI, SOL])
def test_a_language_model_plans_and_its_call_is_paid_through_the_ledger(
    emulator: EmulatorProcess, brief: Brief, editor: Principal, now: datetime, model: str
) -> None:
    ask = planned(brief, editor, now, model)
    assert (ask.state, ask.note, ask.rounds) == (AskState.DONE, "", 1)
    assert revision_of(ask).planner == model
    assert any(note.startswith("Idea: ") for note in revision_of(ask).plan.notes)
    (paid,) = Reservation.objects.filter(job_id=ask.pk)
    assert (paid.stage, paid.settled_micro) == (Stage.PLAN, ask.spent_micro)
    assert 0 < ask.spent_micro <= paid.amount_micro
    assert ledger_problems() == []


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ({"do": "lost_response"}, "counts as paid"),
        ({"do": "rate_limited", "retry_after": 3}, "saturated"),
        ({"do": "status", "status": 503}, "counts as paid"),
        ({"do": "refuse_at_end"}, "blocked"),
    ],
)
def test_when_it_fails_the_built_in_planner_plans_and_says_why(
    emulator: EmulatorProcess, brief: Brief, editor: Principal, now: datetime, trouble: dict[str, Any], words: str
) -> None:
    emulator.script({"vendor": "gemini", "endpoint": "submit", **trouble})
    ask = planned(brief, editor, now)
    assert ask.state == AskState.FELL_BACK
    assert words in ask.note
    assert revision_of(ask).planner == "builtin"
    assert revision_of(ask).plan.notes[0].startswith("Planned by the built-in planner: ")
    assert ledger_problems() == []


def test_a_task_delivered_again_after_a_crash_sends_no_second_paid_call(
    emulator: EmulatorProcess, brief: Brief, editor: Principal, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = ask_model(brief=brief, model=GEMINI, principal=editor, now=now)

    def killed(**_: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr("campaigns.planning.asking.settle", killed)
        with pytest.raises(SystemExit):
            answer_ask(ask.pk)
    answer_ask(ask.pk)
    answer_ask(ask.pk)
    ask.refresh_from_db()
    assert (ask.state, ask.rounds) == (AskState.FELL_BACK, 1)
    assert "counts as paid" in ask.note
    assert Reservation.objects.filter(job_id=ask.pk).count() == 1
    assert PlanRevision.objects.filter(brief=brief).count() == 1
    assert ledger_problems() == []


def test_a_brief_has_one_open_ask_and_an_edit_meanwhile_is_planned_as_it_stands(
    emulator: EmulatorProcess, brief: Brief, editor: Principal, now: datetime
) -> None:
    first = ask_model(brief=brief, model=GEMINI, principal=editor, now=now)
    assert ask_model(brief=brief, model=SOL, principal=editor, now=now).pk == first.pk
    update_brief(brief=brief, values={"script": "One new line. And another one."}, principal=editor, now=now)
    answer_ask(first.pk)
    first.refresh_from_db()
    assert "new line" in " ".join(scene.script for scene in revision_of(first).plan.scenes)


def test_a_model_without_a_key_is_listed_with_its_reason_and_refused(
    brief: Brief, editor: Principal, now: datetime
) -> None:
    brief.workspace.mode = "live"
    brief.workspace.save(update_fields=["mode"])
    named = {item.id: item for item in language_models(brief.workspace, at=now)}
    assert "add one under Providers" in named[GEMINI].refusal
    with pytest.raises(ChangeRefused, match="Providers"):
        ask_model(brief=brief, model=GEMINI, principal=editor, now=now)


def test_the_page_asks_shows_progress_and_goes_on_to_the_plan(
    emulator: EmulatorProcess, brief: Brief, editor: Principal, client: Client
) -> None:
    assert editor.user is not None
    client.force_login(editor.user)
    place = [brief.workspace.slug, brief.pk]
    page = client.post(reverse("plan-ask", args=place), {"model": GEMINI}, follow=True)
    assert "writes the scenes" in page.content.decode()
    answer_ask(PlannerAsk.objects.get(brief=brief).pk)
    part = client.get(reverse("plan-asked", args=place), headers={"HX-Request": "true"})
    assert part.headers["HX-Redirect"] == reverse("plan", args=place)
    assert "Idea: " in client.get(reverse("plan", args=place)).content.decode()
