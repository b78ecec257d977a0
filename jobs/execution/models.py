"""A job at work: plan revisions it runs, branches, clips, attempts, takes, masters."""

from typing import Any

from django.conf import settings
from django.db import models

from billing.caps.types import Owners
from billing.ledger.models import Reservation
from genengine.assets.models import Blob
from genengine.core.events.models import StreamKind
from genengine.core.events.services import StreamRef
from genengine.workspaces.models import FallbackPolicy, Mode
from genengine.workspaces.tenancy import TenantModel
from jobs.execution.states import COMING, AttemptState, ClipState, JobState, MasterState
from jobs.plan import Plan
from jobs.quality.models import QualityReport
from providers.traffic.models import Circuit


def choices(states: Any) -> list[tuple[str, str]]:
    """Return a state enumeration as field choices."""
    return [(s.value, s.value.replace("_", " ")) for s in states]


class Job(TenantModel):
    """A launched plan. `state` is folded from its branches; the mode is frozen at launch.

    `restricted` and `author` are those of its brief, kept in step by `services.restrict_jobs`; whom the brief is shared
    with may see the job too.
    """

    restricted_by = ""
    shared_as = "brief_id"

    title = models.CharField(max_length=200)
    brief_id = models.UUIDField(null=True, blank=True, db_index=True)  # plain id: briefs live above
    brief_version = models.PositiveIntegerField(default=1)
    restricted = models.BooleanField(default=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    campaign_id = models.UUIDField(null=True, blank=True)  # plain id: whose budget pays, as it was at launch
    mode = models.CharField(max_length=16, choices=Mode.choices)
    fallback_policy = models.CharField(max_length=16, choices=FallbackPolicy.choices, default=FallbackPolicy.LOCAL)
    state = models.CharField(max_length=24, choices=choices(JobState), default=JobState.QUEUED)
    state_changed_at = models.DateTimeField()
    paused = models.BooleanField(default=False)
    cancelled = models.BooleanField(default=False)
    cap_micro = models.BigIntegerField()
    deadline_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    correlation_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["workspace", "-created_at"])]

    def __str__(self) -> str:
        return self.title

    def event_stream(self) -> StreamRef:
        """Return the job's stream."""
        return StreamRef(StreamKind.JOB, self.pk, self.workspace_id)

    @property
    def plan(self) -> Plan:
        """Return the newest plan revision's values."""
        return self.plans.latest("number").plan

    @property
    def owners(self) -> Owners:
        """Return whose budgets pay for it beside its own: its campaign's and that of who launched it."""
        return Owners(campaign_id=self.campaign_id, member_id=self.created_by_id)


class JobPlan(TenantModel):
    """A plan revision that a job runs; append-only."""

    restricted_by = "job"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="plans")
    number = models.PositiveIntegerField()
    values = models.JSONField()
    price_micro = models.BigIntegerField()
    price_difference_micro = models.BigIntegerField(default=0)
    source_revision_id = models.UUIDField(null=True, blank=True)  # plain id: planning lives above
    reason = models.CharField(max_length=200, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="one_job_plan_a_number")]

    def __str__(self) -> str:
        return f"revision {self.number}"

    @property
    def plan(self) -> Plan:
        """Return the values as a plan."""
        return Plan.from_dict(self.values)


class Branch(TenantModel):
    """One variant on its way to delivery."""

    restricted_by = "job"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="branches")
    key = models.CharField(max_length=16)
    name = models.CharField(max_length=120)
    position = models.PositiveSmallIntegerField()
    provider = models.CharField(max_length=32)
    model = models.CharField(max_length=64)
    state = models.CharField(max_length=24, choices=choices(JobState), default=JobState.QUEUED)
    state_changed_at = models.DateTimeField()
    paused = models.BooleanField(default=False)
    cancelled = models.BooleanField(default=False)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["job", "key"], name="one_branch_a_key")]

    def __str__(self) -> str:
        return self.name


class Clip(TenantModel):
    """The slot scene × branch."""

    restricted_by = "job"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="clips")
    branch = models.ForeignKey(Branch, on_delete=models.CASCADE, related_name="clips")
    scene_key = models.CharField(max_length=16)
    position = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=24, choices=choices(ClipState), default=ClipState.PLANNED)
    state_changed_at = models.DateTimeField()
    locked = models.BooleanField(default=False)
    plan_number = models.PositiveIntegerField()
    provider = models.CharField(max_length=32, blank=True)  # by its plan revision: the line in which it waits
    model = models.CharField(max_length=64, blank=True)
    selected_take = models.ForeignKey(
        "Take", null=True, blank=True, on_delete=models.SET_NULL, related_name="selected_by"
    )
    reservation = models.ForeignKey(Reservation, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    tries = models.PositiveSmallIntegerField(default=0)  # attempts since the last (re)queue by a person
    not_before = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    failure = models.JSONField(null=True, blank=True)  # stage, cause, who_pays, next_step
    fresh = models.BooleanField(default=False)  # made again by request or need: no earlier result stands for it
    # the clip of the same job that asks the same and is made for both
    waits_for = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="followers")

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["branch", "scene_key"], name="one_clip_a_scene_and_branch")]
        indexes = [
            models.Index(fields=["not_before"], name="clip_queued", condition=models.Q(state=ClipState.QUEUED)),
            models.Index(fields=["provider"], name="clip_line", condition=models.Q(state=ClipState.QUEUED)),
        ]

    def __str__(self) -> str:
        return f"{self.scene_key} of {self.branch_id}"

    @property
    def is_waiting_for_another(self) -> bool:
        """Whether another clip, which may still come, is made for both."""
        return not self.fresh and self.waits_for is not None and self.waits_for.state in COMING

    def event_stream(self) -> StreamRef:
        """Return the job's stream."""
        return StreamRef(StreamKind.JOB, self.job_id, self.workspace_id)

    def event_facts(self) -> dict[str, Any]:
        """Return what each clip event carries."""
        return {"clip": str(self.pk), "branch": str(self.branch_id), "scene": self.scene_key}


class Leased(models.Model):
    """Long work held by one process: its owner renews the heartbeat every 5 s, the pump takes dead leases away."""

    lease_owner = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


OPEN_AT_VENDOR = (AttemptState.INTENT, AttemptState.SUBMITTED, AttemptState.UNKNOWN)


class Attempt(TenantModel, Leased):
    """One request to one provider for one clip: at most one payment."""

    restricted_by = "job"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="attempts")
    clip = models.ForeignKey(Clip, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    plan_number = models.PositiveIntegerField()
    provider = models.CharField(max_length=32)
    model = models.CharField(max_length=64)
    state = models.CharField(max_length=24, choices=choices(AttemptState), default=AttemptState.INTENT)
    state_changed_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=64, unique=True)
    request = models.JSONField()  # the exact request, as values
    request_digest = models.CharField(max_length=64)
    content_digest = models.CharField(max_length=64, blank=True)  # what the vendor saw: the same gives the same result
    reservation = models.ForeignKey(Reservation, on_delete=models.PROTECT, related_name="attempts")
    circuit = models.ForeignKey(Circuit, null=True, blank=True, on_delete=models.SET_NULL, related_name="attempts")
    remote_id = models.CharField(max_length=200, blank=True, db_index=True)
    next_poll_at = models.DateTimeField(null=True, blank=True)
    polls = models.PositiveIntegerField(default=0)
    unknown_until = models.DateTimeField(null=True, blank=True)
    presumed_at = models.DateTimeField(null=True, blank=True)  # counted as spent without an answer; may still surface
    told_remote_id = models.CharField(max_length=200, blank=True)  # by a verified callback, before we knew the task
    progress = models.FloatField(null=True, blank=True)  # 0..1
    details = models.JSONField(default=dict)  # what else polling needs, from the vendor's acceptance
    sent_at = models.DateTimeField(null=True, blank=True)  # set and committed before the paid call: never send twice
    vendor_amount = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    vendor_currency = models.CharField(max_length=8, blank=True)
    fetches = models.PositiveSmallIntegerField(default=0)
    error = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True, blank=True)
    price_micro = models.BigIntegerField(default=0)  # the expected price, when the vendor names none
    list_micro = models.BigIntegerField(default=0)  # the same before volume tiers and off-peak hours
    card_revision = models.PositiveIntegerField(default=0)  # whose terms it is settled by; 0 is the adapter's own
    cost_micro = models.BigIntegerField(null=True, blank=True)  # settled
    fallback = models.BooleanField(default=False)  # made by the local engine in place of a lost generation
    finished_at = models.DateTimeField(null=True, blank=True)
    correlation_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [models.UniqueConstraint(fields=["clip", "number"], name="one_attempt_a_number")]
        indexes = [
            models.Index(fields=["next_poll_at"], name="attempt_due", condition=models.Q(next_poll_at__isnull=False)),
            models.Index(
                fields=["workspace", "provider"], name="attempt_open", condition=models.Q(state__in=OPEN_AT_VENDOR)
            ),
            models.Index(fields=["lease_until"], name="attempt_leased", condition=models.Q(lease_until__isnull=False)),
            models.Index(fields=["workspace", "model", "-finished_at"], name="attempt_ended_by_model"),
            models.Index(
                fields=["workspace", "content_digest"],
                name="attempt_reusable",
                condition=models.Q(state=AttemptState.COLLECTED) & ~models.Q(content_digest=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.number}"

    @property
    def reuses(self) -> dict[str, Any]:
        """The earlier take that this attempt brings instead of asking a vendor, with what that saves; else empty."""
        return dict(self.request.get("reuses") or {})

    def event_stream(self) -> StreamRef:
        """Return the job's stream."""
        return StreamRef(StreamKind.JOB, self.job_id, self.workspace_id)

    def event_facts(self) -> dict[str, Any]:
        """Return what each attempt event carries."""
        return {
            "attempt": str(self.pk),
            "clip": str(self.clip_id),
            "provider": self.provider,
            "model": self.model,
            "number": self.number,
        }


class Exchange(TenantModel):
    """A provider call with secrets removed; erasable, unlike the event log."""

    restricted_by = "attempt__job"

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="exchanges")
    at = models.DateTimeField()
    purpose = models.CharField(max_length=16)  # submit | poll | find | fetch | cancel | webhook
    record = models.JSONField()

    class Meta:
        ordering = ["at"]

    def __str__(self) -> str:
        return f"{self.purpose} {self.at:%H:%M:%S}"


class TakeKind(models.TextChoices):
    GENERATED = "generated"
    DERIVED = "derived"
    UPLOADED = "uploaded"
    FALLBACK = "fallback"
    REUSED = "reused"  # the bytes of an earlier take for the same request; `parent` is that one


class Take(TenantModel):
    """An immutable result for a clip."""

    restricted_by = "job"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="takes")
    clip = models.ForeignKey(Clip, on_delete=models.CASCADE, related_name="takes")
    number = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=16, choices=TakeKind.choices)
    attempt = models.OneToOneField(Attempt, null=True, blank=True, on_delete=models.PROTECT, related_name="take")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="derived")
    plan_number = models.PositiveIntegerField()
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    poster = models.ForeignKey(Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    fps = models.CharField(max_length=16)  # a fraction, "30/1"
    duration_ms = models.PositiveIntegerField()
    simulated = models.BooleanField()
    quality = models.ForeignKey(QualityReport, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["clip", "number"], name="one_take_a_number")]

    def __str__(self) -> str:
        return f"take {self.number}"


class Master(TenantModel, Leased):
    """A branch composed for one locale and ratio. `sha256` is its identity; approval binds to it."""

    restricted_by = "job"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="masters")
    branch = models.ForeignKey(Branch, on_delete=models.CASCADE, related_name="masters")
    locale = models.CharField(max_length=16)
    ratio = models.CharField(max_length=8)
    state = models.CharField(max_length=24, choices=choices(MasterState), default=MasterState.PENDING)
    state_changed_at = models.DateTimeField()
    plan_number = models.PositiveIntegerField()
    inputs_digest = models.CharField(max_length=64, blank=True)  # of the takes and the plan it was made from
    tries = models.PositiveSmallIntegerField(default=0)
    progress = models.FloatField(null=True, blank=True)
    spec = models.JSONField(null=True, blank=True)
    report = models.JSONField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    blob = models.ForeignKey(Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    thumbnail = models.ForeignKey(Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    srt = models.ForeignKey(Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    vtt = models.ForeignKey(Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    has_fallback = models.BooleanField(default=False)
    partial = models.BooleanField(default=False)  # composed without every scene
    quality = models.ForeignKey(QualityReport, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    failure = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["branch", "locale", "ratio"]
        constraints = [
            models.UniqueConstraint(fields=["branch", "locale", "ratio"], name="one_master_a_locale_and_ratio")
        ]

    def __str__(self) -> str:
        return f"{self.branch} {self.locale} {self.ratio}"

    @property
    def is_stand_in(self) -> bool:
        """Whether the film only stands in for one that no engine could compose."""
        return "fallback" in (self.report or {})

    @property
    def stand_in_reason(self) -> str:
        """Why it stands in; empty for a composed film."""
        return str((self.report or {}).get("fallback", {}).get("reason", ""))

    def event_stream(self) -> StreamRef:
        """Return the job's stream."""
        return StreamRef(StreamKind.JOB, self.job_id, self.workspace_id)

    def event_facts(self) -> dict[str, Any]:
        """Return what each master event carries."""
        return {
            "master": str(self.pk),
            "branch": str(self.branch_id),
            "locale": self.locale,
            "ratio": self.ratio,
        }
