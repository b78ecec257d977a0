"""Where one brief is rendered: the narrowest that says anything wins, frozen with the plan, its reason shown."""

import html
from datetime import datetime
from pathlib import Path

import pytest
from django.test import Client

from campaigns.briefs.importer import import_brief
from campaigns.briefs.models import Brief, BriefVersion
from campaigns.briefs.services import update_brief
from campaigns.briefs.types import BriefInvalid
from campaigns.planning.models import PlanRevision
from campaigns.planning.queries import is_stale
from campaigns.planning.services import launch, make_plan
from genengine.workspaces.policy import Principal
from jobs.execution.models import Job
from providers.engines import policy_and_reason
from tests.api.support import partner
from tests.campaigns.conftest import MEDIA

pytestmark = pytest.mark.django_db


def test_the_narrowest_policy_wins_and_says_who_said_so(editor: Principal) -> None:
    workspace = editor.workspace
    assert policy_and_reason(workspace) == ("local_preferred", "this installation is set up so")
    workspace.engine_policy = "api_only"
    assert policy_and_reason(workspace) == ("api_only", "the workspace says so")
    assert policy_and_reason(workspace, "local_only") == ("local_only", "the brief says so")


def test_the_policy_is_frozen_with_the_plan_and_the_version(brief: Brief, editor: Principal, now: datetime) -> None:
    before = make_plan(brief=brief, principal=editor, now=now)
    assert before.plan.engine_policy == ""
    update_brief(brief=brief, values={"engine_policy": "local_only"}, principal=editor, now=now)
    assert is_stale(revision=PlanRevision.objects.get(pk=before.pk))
    revision = make_plan(brief=brief, principal=editor, now=now)
    job = launch(revision=revision, principal=editor, now=now)
    update_brief(brief=brief, values={"engine_policy": "api_only"}, principal=editor, now=now)
    assert Job.objects.get(pk=job.pk).plan.engine_policy == "local_only"
    assert BriefVersion.objects.get(brief=brief).values["engine_policy"] == "local_only"
    with pytest.raises(BriefInvalid, match="place to render"):
        update_brief(brief=brief, values={"engine_policy": "cloud"}, principal=editor, now=now)


def test_page_api_and_brief_file_take_it_and_the_plan_says_it(
    client: Client, brief: Brief, editor: Principal, now: datetime, tmp_path: Path
) -> None:
    assert editor.user is not None
    client.force_login(editor.user)
    base = f"/w/{editor.workspace.slug}/briefs/{brief.pk}"
    assert "Where videos are rendered" in client.get(base).content.decode()
    client.post(f"{base}/field?field=engine_policy", {"engine_policy": "local_only"})
    make_plan(brief=Brief.objects.get(pk=brief.pk), principal=editor, now=now)
    page = html.unescape(client.get(f"{base}/plan").content.decode())
    assert "Rendered: Only on this installation's own machines: the brief says so." in page
    api = partner(editor.workspace)
    assert api.patch(f"briefs/{brief.pk}", {"engine_policy": "api_only"}).json()["engine_policy"] == "api_only"
    assert api.patch(f"briefs/{brief.pk}", {"engine_policy": ""}).json()["engine_policy"] == ""
    assert api.patch(f"briefs/{brief.pk}", {"engine_policy": "cloud"}).status_code == 400
    example = (MEDIA.parent / "briefs" / "ugc-blood-orange.yaml").read_text(encoding="utf-8")
    written = tmp_path / "brief.yaml"
    written.write_text(example.replace("../media", str(MEDIA)) + "\nengine_policy: local_only\n", encoding="utf-8")
    assert import_brief(path=written, workspace=editor.workspace, now=now).engine_policy == "local_only"
