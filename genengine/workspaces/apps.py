from django.apps import AppConfig


class WorkspacesConfig(AppConfig):
    name = "genengine.workspaces"
    label = "workspaces"

    def ready(self) -> None:
        from genengine.workspaces import sign_in_signals  # noqa: F401
