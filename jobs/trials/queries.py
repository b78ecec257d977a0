"""The models of a workspace with their terms, what was measured of them, and how each could be proved."""

from dataclasses import dataclass
from datetime import datetime

from genengine.workspaces.models import Mode, Workspace
from jobs.learning.queries import figures_of
from jobs.routing.figures import PRIOR, Figures
from jobs.routing.queries import candidates
from jobs.trials.offers import TestOffer, TestRefused, offer_test
from providers.registry.models import ModelTest
from providers.registry.queries import CardInForce


@dataclass(frozen=True)
class ModelRow:
    """One model: terms in force, whether it may be used here, what live attempts say, its newest test call."""

    terms: CardInForce
    provider_label: str
    refusal: str
    figures: Figures
    test: ModelTest | None
    offer: TestOffer | None
    no_offer: str


def model_rows(*, workspace: Workspace, now: datetime) -> list[ModelRow]:
    """Return every video model of a vendor. A test is offered only where the facts are not verified."""
    figures = figures_of(workspace=workspace, at=now) if workspace.mode == Mode.LIVE else {}
    newest = ModelTest.objects.of(workspace).order_by("model", "-asked_at").distinct("model")
    tests = {test.model: test for test in newest}
    rows = []
    for candidate in candidates(workspace, at=now):
        if candidate.is_local or candidate.terms is None:
            continue
        offer, why = _offer(workspace, candidate.terms, now)
        model = candidate.card.id
        rows.append(
            ModelRow(
                candidate.terms, candidate.label, candidate.refusal, figures.get(model, PRIOR), tests.get(model), offer,
                why,
            )
        )  # fmt: skip
    return rows


def _offer(workspace: Workspace, terms: CardInForce, now: datetime) -> tuple[TestOffer | None, str]:
    if not terms.card.unverified:
        return None, ""
    try:
        return offer_test(workspace=workspace, model=terms.card.id, now=now), ""
    except TestRefused as refusal:
        return None, str(refusal)
