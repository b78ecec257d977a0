from django.apps import AppConfig


class AssetsConfig(AppConfig):
    name = "genengine.assets"
    label = "assets"

    def ready(self) -> None:
        from genengine.assets import checks  # noqa: F401 - registers the system checks
