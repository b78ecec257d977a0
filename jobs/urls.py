"""Addresses of jobs below a workspace."""

from django.urls import path

from jobs.execution import views as execution
from jobs.timeline import views as timeline
from jobs.trials import views as trials

urlpatterns = [
    path("jobs", timeline.jobs, name="jobs"),
    path("jobs/<uuid:job_id>", timeline.job_page, name="job"),
    path("jobs/<uuid:job_id>/live", timeline.job_live, name="job-live"),
    path("jobs/<uuid:job_id>/events", timeline.job_events, name="job-events"),
    path("jobs/<uuid:job_id>/clips/<uuid:clip_id>", timeline.clip_page, name="job-clip"),
    path("jobs/<uuid:job_id>/masters/<uuid:master_id>", timeline.master_page, name="job-master"),
    path("jobs/<uuid:job_id>/do", execution.control_job, name="job-do"),
    path("jobs/<uuid:job_id>/cap", execution.raise_cap, name="job-cap"),
    path("jobs/<uuid:job_id>/branches/<uuid:branch_id>/do", execution.control_branch, name="job-branch-do"),
    path("jobs/<uuid:job_id>/clips/<uuid:clip_id>/do", execution.control_clip, name="job-clip-do"),
    path("jobs/<uuid:job_id>/takes/<uuid:take_id>/use", execution.choose_take, name="job-take"),
    path("settings/models", trials.models, name="settings-models"),
    path("settings/models/test", trials.test, name="settings-model-test"),
]
