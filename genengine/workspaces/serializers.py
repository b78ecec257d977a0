"""What the API shows of who asks."""

from rest_framework import serializers

from genengine.workspaces.models import Mode, Role
from genengine.workspaces.policy import Action, Principal, can


class WorkspaceSerializer(serializers.Serializer):
    """The workspace that the key or session works in."""

    id = serializers.UUIDField()
    slug = serializers.SlugField()
    name = serializers.CharField()
    mode = serializers.ChoiceField(Mode.choices)
    currency = serializers.CharField()


class MeSerializer(serializers.Serializer):
    """Who asks and what they may do."""

    workspace = WorkspaceSerializer()
    kind = serializers.ChoiceField(["person", "api_key"], source="actor.kind")
    id = serializers.CharField(source="actor.id")
    role = serializers.ChoiceField(Role.choices)
    compliance = serializers.BooleanField()
    scopes = serializers.SerializerMethodField(help_text="The scopes of the key; null for a person.")
    may = serializers.SerializerMethodField(help_text="Every action that is allowed, by name.")

    def get_scopes(self, principal: Principal) -> list[str] | None:
        return list(principal.api_key.scopes) if principal.api_key else None

    def get_may(self, principal: Principal) -> list[str]:
        return [action.value for action in Action if can(principal, action)]
