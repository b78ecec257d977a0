from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "campaigns"
    label = "campaigns"

    def ready(self) -> None:
        from campaigns.delivery.services import sweep_exports
        from campaigns.review.services import withdraw_outdated
        from jobs.execution.sweeps import register_sweep

        register_sweep(sweep_exports)
        register_sweep(withdraw_outdated)
