from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "genengine.core"
    label = "core"

    def ready(self) -> None:
        from genengine.core import checks  # noqa: F401 - registers the system checks
