"""A plan of the usual brief, and how it is revised."""

from collections.abc import Callable
from datetime import datetime

import pytest

from campaigns.briefs.models import Brief
from campaigns.planning.models import PlanRevision
from campaigns.planning.services import make_plan, revise_plan
from campaigns.planning.types import PlanChange
from genengine.workspaces.policy import Principal

Revise = Callable[[PlanChange], PlanRevision]


@pytest.fixture
def revision(brief: Brief, editor: Principal, now: datetime) -> PlanRevision:
    return make_plan(brief=brief, principal=editor, now=now)


@pytest.fixture
def revise(revision: PlanRevision, editor: Principal, now: datetime) -> Revise:
    newest = revision

    def change(what: PlanChange) -> PlanRevision:
        nonlocal newest
        newest = revise_plan(revision=newest, change=what, principal=editor, now=now)
        return newest

    return change
