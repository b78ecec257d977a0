from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "campaigns"
    label = "campaigns"

    def ready(self) -> None:
        from billing.caps.models import CapScope
        from billing.caps.owners import register_names
        from campaigns.briefs.queries import genres_of_briefs, names_of_campaigns
        from campaigns.delivery.services import sweep_exports
        from campaigns.review.queries import verdicts_of_branches
        from campaigns.review.services import withdraw_outdated
        from jobs.execution.sweeps import register_sweep
        from jobs.learning.context import register_genres, register_verdicts

        register_sweep(sweep_exports)
        register_sweep(withdraw_outdated)
        register_genres(genres_of_briefs)
        register_verdicts(verdicts_of_branches)
        register_names(CapScope.CAMPAIGN, names_of_campaigns)
