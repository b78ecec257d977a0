"""Workspaces (tenants), their people and their keys."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.db import models

from genengine.core.actors import Actor, ActorKind
from genengine.core.events.models import StreamKind
from genengine.core.events.services import StreamRef
from genengine.core.ids import new_id


class Role(models.TextChoices):
    """Roles of a workspace, each including those before it."""

    VIEWER = "viewer", "Viewer"
    EDITOR = "editor", "Editor"
    APPROVER = "approver", "Approver"
    ADMIN = "admin", "Admin"


class Mode(models.TextChoices):
    """Whether vendors are real and paid, or stood for by the emulator."""

    LIVE = "live", "Live"
    SIMULATED = "simulated", "Simulated"


class UserManager(BaseUserManager["User"]):
    """Users are known by e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractUser):
    """A person. `is_superuser` marks an operator of the installation."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    username = None  # type: ignore[assignment]
    email = models.EmailField(unique=True)
    display_name = models.CharField(max_length=120, blank=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.display_name or self.email

    def as_actor(self) -> Actor:
        """Return this person as written into events and the audit trail."""
        return Actor(ActorKind.PERSON, str(self.pk))


class FallbackPolicy(models.TextChoices):
    """What follows an attempt that is lost or out of retries."""

    LOCAL = "local", "Make it with the local engine and mark it"
    ASK = "ask", "Ask a person"
    PROVIDER = "provider", "Another provider, as a new attempt under the caps"


class EnginePolicy(models.TextChoices):
    """Where clips of the local engine and masters are rendered; empty leaves it to the installation."""

    INSTALLATION = "", "As this installation is set up"
    LOCAL_ONLY = "local_only", "Only on this installation's own machines"
    LOCAL_PREFERRED = "local_preferred", "Here; on the remote engine when this machine cannot"
    API_ONLY = "api_only", "Only on the remote engine"


class ReusePolicy(models.TextChoices):
    """Which earlier results of the same request may stand for a clip, so that it is not paid for twice."""

    OFF = "off", "Make every clip anew"
    SEEDED = "seeded", "Reuse results of the same request with the same seed"
    ALL = "all", "Reuse results of the same request, of models without a seed too"


class Workspace(models.Model):
    """A tenant."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    mode = models.CharField(max_length=16, choices=Mode.choices, default=Mode.SIMULATED)
    currency = models.CharField(max_length=3, default="USD")
    fallback_policy = models.CharField(max_length=16, choices=FallbackPolicy.choices, default=FallbackPolicy.LOCAL)
    engine_policy = models.CharField(max_length=16, choices=EnginePolicy.choices, blank=True, default="")
    reuse_policy = models.CharField(max_length=16, choices=ReusePolicy.choices, default=ReusePolicy.SEEDED)
    separate_author_and_approver = models.BooleanField(default=False)
    parallel_generations = models.PositiveIntegerField(default=50)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    def event_stream(self) -> StreamRef:
        """Return the stream of sign-ins, keys, budgets and reports."""
        return StreamRef(StreamKind.WORKSPACE, self.pk, self.pk)


class Team(models.Model):
    """A group of members."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="teams")
    name = models.CharField(max_length=120)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="one_team_a_name")]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's role in a workspace. The Compliance grant stands apart from the role."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)
    compliance = models.BooleanField(default=False)
    teams = models.ManyToManyField(Team, blank=True, related_name="members")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="one_membership_a_person")]

    def __str__(self) -> str:
        return f"{self.user} in {self.workspace}: {self.role}"


class Invitation(models.Model):
    """An invitation by link; only the hash of its token is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(blank=True)
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)
    token_hash = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return f"{self.role} in {self.workspace}"


class ApiKey(models.Model):
    """A partner's key: a visible prefix and the SHA-256 of a 256-bit secret."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=16, unique=True)
    secret_hash = models.CharField(max_length=64)
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.EDITOR)
    scopes = models.JSONField(default=list)
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def as_actor(self) -> Actor:
        """Return this key as written into events and the audit trail."""
        return Actor(ActorKind.API_KEY, str(self.pk))


class SocketTicket(models.Model):
    """A right to watch one object once, for half a minute; only the hash of its text is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    subject_id = models.UUIDField()
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    api_key = models.ForeignKey(ApiKey, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user__isnull=False) ^ models.Q(api_key__isnull=False), name="one_holder_a_ticket"
            )
        ]

    def __str__(self) -> str:
        return f"ticket for {self.subject_id}"
