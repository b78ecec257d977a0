from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "jobs"
    label = "jobs"

    def ready(self) -> None:
        from billing.caps.models import CapScope
        from billing.caps.owners import register_names
        from genengine.core.api.idempotency import forget_answers
        from jobs.execution.load import first_checks, model_load
        from jobs.execution.paying import names_of_providers, titles_of_jobs
        from jobs.execution.sweeps import register_sweep
        from jobs.trials.services import take_outcomes
        from providers.health.checks import register_pass_rates
        from providers.health.load import register_load

        register_load(model_load)
        register_pass_rates(first_checks)
        register_sweep(forget_answers)
        register_sweep(take_outcomes)
        register_names(CapScope.JOB, titles_of_jobs)
        register_names(CapScope.PROVIDER, names_of_providers)
