"""Values of briefs: errors by field, what is missing, compliance flags and their rules."""

from collections.abc import Mapping
from dataclasses import dataclass


class BriefInvalid(Exception):
    """Some values were not taken. `errors` says by field how to fix each; the other values of the call are saved."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in errors.items()))
        self.errors = dict(errors)


class BriefClosed(Exception):
    """An archived brief is not edited; duplicate it."""


class ImportFailed(Exception):
    """A brief file cannot be read; the text names the field and its line."""


@dataclass(frozen=True)
class Missing:
    """One thing that a brief still needs. `blocks` says whether planning waits for it; `next_step` is the remedy."""

    field: str
    message: str
    next_step: str
    blocks: bool = True


@dataclass(frozen=True)
class ComplianceFlag:
    """A known obligation: what is shown, for how long and how large at least, who may see it, what is avoided."""

    key: str
    label: str
    disclosure: str
    rule: str
    least_seconds: float = 2.0
    least_height_percent: float = 2.2
    least_age: int = 0
    avoid: tuple[str, ...] = ()


_FLAGS = (
    ComplianceFlag(
        "synthetic_person_disclosure",
        "A person in the ad is synthetic",
        "AI-generated person",
        "The disclosure stands in the picture for as long as the ad runs.",
    ),
    ComplianceFlag(
        "ai_generated",
        "The pictures are made by AI",
        "Made with AI",
        "The disclosure stands in the picture for as long as the ad runs.",
    ),
    ComplianceFlag(
        "paid_partnership", "Paid partnership", "Ad", "The word Ad stands in the picture from the first second."
    ),
    ComplianceFlag(
        "caffeine_content",
        "Drink with caffeine",
        "Contains caffeine",
        "The caffeine notice is shown; no claim that the drink replaces sleep or meals; not aimed at children.",
        avoid=("Claims that it replaces sleep or meals", "Children drinking it"),
    ),
    ComplianceFlag(
        "alcohol",
        "Alcohol",
        "Drink responsibly",
        "The notice is shown; only adults over 25 are seen drinking; nobody drinks and drives.",
        least_age=18,
        avoid=("Minors", "Drinking and driving", "Excessive drinking"),
    ),
    ComplianceFlag(
        "gambling",
        "Gambling",
        "18+ Gamble responsibly",
        "The notice is shown; no promise of winning; nobody under 25 is seen.",
        least_age=18,
        avoid=("Minors", "Promises of winning"),
    ),
    ComplianceFlag(
        "health_claims",
        "Health claims",
        "Not medical advice",
        "Each claim needs evidence on file; nothing is promised to heal or to prevent an illness.",
        avoid=("Promises to heal or prevent an illness", "Before and after pictures"),
    ),
    ComplianceFlag(
        "financial_promotion",
        "Financial product",
        "Capital at risk",
        "The risk warning is shown; no promise of returns.",
        avoid=("Promises of returns",),
    ),
    ComplianceFlag(
        "childrens_product",
        "Made for children",
        "",
        "No direct appeal to buy, nothing dangerous to imitate, no data is collected.",
        avoid=("Direct appeals to children to buy", "Dangerous acts to imitate"),
    ),
    ComplianceFlag(
        "political",
        "Political or issue ad",
        "Paid political ad",
        "The payer is named; no synthetic politician is seen.",
        avoid=("Synthetic likeness of a politician",),
    ),
)
FLAGS: Mapping[str, ComplianceFlag] = {flag.key: flag for flag in _FLAGS}
