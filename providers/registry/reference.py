"""The generated parts of ``docs/providers/``: model tables and capabilities, from the adapters themselves."""

from __future__ import annotations

from pathlib import Path

from providers.base import ProviderAdapter, RemoteAdapter
from providers.catalogue import adapters
from providers.limits import TrafficLimits, limit_words
from providers.values import Free, ModelCard, PerMillionTokens, SecondsRange

BEGIN, END = "<!-- generated: models -->", "<!-- end of generated -->"


def models_section(kind: type[ProviderAdapter]) -> str:
    """Markdown of one provider: a table of its models and what the adapter itself can do."""
    head = (
        "| model | does | seconds | ratios | resolutions | price | quality | facts |\n|---|---|---|---|---|---|---|---|"
    )
    rows = "\n".join(_row(card) for card in kind.models)
    return f"{BEGIN}\n{head}\n{rows}\n\n{_abilities(kind)}\n{END}"


def _row(card: ModelCard) -> str:
    tasks = ", ".join(sorted(task.value.replace("_", " ") for task in card.tasks))
    facts = card.facts.value + (", **unverified**" if card.unverified else "")
    cells = (f"`{card.id}`", tasks, _durations(card), " ".join(card.ratios), " ".join(card.resolutions), _price(card))
    return f"| {' | '.join(cells)} | {card.quality} | {facts} |"


def _durations(card: ModelCard) -> str:
    if isinstance(card.durations, SecondsRange):
        return f"{card.durations.low:g}–{card.durations.high:g}"
    return ", ".join(f"{value:g}" for value in card.durations)


def _price(card: ModelCard) -> str:
    price = card.price
    if isinstance(price, Free):
        return "free"
    if isinstance(price, PerMillionTokens):
        return f"{price.currency} {price.input:f} in, {price.output:f} out /1M tokens ({card.prices_as_of})"
    unit = {"PerSecond": "/s", "PerCall": "/call", "PerThousandCharacters": "/1,000 characters"}[type(price).__name__]
    tiers = ", ".join(f"{name} {value:f}" for name, value in price.tiers.items()) or f"{price.amount:f}"
    return f"{price.currency} {tiers} {unit} ({card.prices_as_of})"


def _abilities(kind: type[ProviderAdapter]) -> str:
    if not issubclass(kind, RemoteAdapter):
        return "Runs on this machine: no key, no network, no callback."
    fields = ", ".join(f"`{name}`" for name in kind.credential_fields)
    found = "a lost submit is looked up by our key" if kind.can_find_by_key else "a lost submit cannot be looked up"
    hours = kind.unknown_window.total_seconds() / 3600
    return (
        f"Credentials: {fields}. Address: `{kind.live_url or 'set by the operator'}`. "
        f"Polled every {kind.poll_interval.total_seconds():g} s; {found} (unknown for at most {hours:g} h). "
        f"{_limits(kind)}"
    )


def _limits(kind: type[RemoteAdapter]) -> str:
    """What ships as the first revision of its limits."""
    of_models = [f"`{model}` {limit_words(limits)}" for model, limits in kind.model_traffic.items()]
    account = "" if kind.traffic == TrafficLimits() and of_models else limit_words(kind.traffic)
    return f"Limits shipped: {'; '.join(filter(None, (account, *of_models)))}."


def refresh_pages(folder: Path, *, check: bool = False) -> list[str]:
    """Write the generated part of every page; names of the pages that were (or with ``check`` would be) changed."""
    changed = []
    for name, kind in adapters().items():
        page = folder / f"{name}.md"
        old = page.read_text(encoding="utf-8") if page.exists() else f"# {kind.label}\n\n{BEGIN}\n{END}\n"
        before, _, rest = old.partition(BEGIN)
        new = before + models_section(kind) + rest.partition(END)[2]
        if new != old or not page.exists():
            changed.append(page.name)
            if not check:
                page.write_text(new, encoding="utf-8")
    return changed
