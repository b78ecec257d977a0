"""Every address of the partner API, below /api/v1/, on one page."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from campaigns.briefs import api as briefs
from campaigns.delivery import api as delivery
from campaigns.planning import api as planning
from campaigns.review import api as review
from genengine.assets import api as assets
from genengine.core.api import views as core
from genengine.workspaces import api as workspaces
from jobs.execution import api as control
from jobs.timeline import api as jobs
from providers.health import api as health

BRIEF = "briefs/<uuid:brief_id>"
JOB = "jobs/<uuid:job_id>"

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
    path("problems/", core.Problems.as_view(), name="api-problems"),
    path("problems/<slug:code>", core.OneProblem.as_view(), name="api-problem"),
    path("me", workspaces.Me.as_view(), name="api-me"),
    path("assets", assets.Assets.as_view(), name="api-assets"),
    path("assets/<uuid:asset_id>", assets.OneAsset.as_view(), name="api-asset"),
    path("brand-kits", briefs.BrandKits.as_view(), name="api-brand-kits"),
    path("briefs", briefs.Briefs.as_view(), name="api-briefs"),
    path(BRIEF, briefs.OneBrief.as_view(), name="api-brief"),
    path(f"{BRIEF}/assets", briefs.BriefAssets.as_view(), name="api-brief-assets"),
    path(f"{BRIEF}/assets/<uuid:use_id>", briefs.OneBriefAsset.as_view(), name="api-brief-asset"),
    path(f"{BRIEF}/estimate", planning.Estimate.as_view(), name="api-estimate"),
    path(f"{BRIEF}/plan", planning.MakePlan.as_view(), name="api-plan"),
    path(f"{BRIEF}/revisions", planning.Revisions.as_view(), name="api-revisions"),
    path(f"{BRIEF}/revisions/<int:number>", planning.OneRevision.as_view(), name="api-revision"),
    path(f"{BRIEF}/revisions/<int:number>/restore", planning.Restore.as_view(), name="api-revision-restore"),
    path(f"{BRIEF}/changes", planning.Changes.as_view(), name="api-changes"),
    path(f"{BRIEF}/launch", planning.Launch.as_view(), name="api-launch"),
    path(f"{BRIEF}/apply", planning.Apply.as_view(), name="api-apply"),
    path("providers/health", health.Health.as_view(), name="api-provider-health"),
    path("jobs", jobs.Jobs.as_view(), name="api-jobs"),
    path(JOB, jobs.OneJob.as_view(), name="api-job"),
    path(f"{JOB}/timeline", jobs.JobTimeline.as_view(), name="api-job-timeline"),
    path(f"{JOB}/events", jobs.JobEventList.as_view(), name="api-job-events"),
    path(f"{JOB}/ticket", jobs.JobTicket.as_view(), name="api-job-ticket"),
    path(f"{JOB}/cap", control.JobCap.as_view(), name="api-job-cap"),
    path(f"{JOB}/branches/<uuid:branch_id>/<slug:verb>", control.BranchControl.as_view(), name="api-branch-control"),
    path(f"{JOB}/clips/<uuid:clip_id>/<slug:verb>", control.ClipControl.as_view(), name="api-clip-control"),
    path(f"{JOB}/takes/<uuid:take_id>/select", control.TakeChoice.as_view(), name="api-take-select"),
    path(f"{JOB}/outputs", review.Outputs.as_view(), name="api-outputs"),
    path(f"{JOB}/masters/<uuid:master_id>/approve", review.Approve.as_view(), name="api-approve"),
    path(f"{JOB}/masters/<uuid:master_id>/withdraw", review.Withdraw.as_view(), name="api-withdraw"),
    path(f"{JOB}/exports", delivery.Exports.as_view(), name="api-exports"),
    path("exports/<uuid:export_id>", delivery.OneExport.as_view(), name="api-export"),
    path("exports/<uuid:export_id>/retry", delivery.RetryExport.as_view(), name="api-export-retry"),
    path(f"{JOB}/<slug:verb>", control.JobControl.as_view(), name="api-job-control"),
    re_path(r"^.*$", core.NoSuchAddress.as_view(), name="api-nowhere"),
]
