"""Turns between equals, exploration, and what measured figures do to the choice."""

from collections import Counter
from dataclasses import replace

from jobs.routing.choose import choose_models
from jobs.routing.figures import EXPECTED_PASS, PRIOR, Figures, Sample, figures_from
from jobs.routing.leads import Standing, equals
from jobs.routing.types import (
    NOTHING_AT_HAND,
    AtHand,
    BranchNeed,
    Candidate,
    Lane,
    Limits,
    Profile,
    Routing,
    SceneNeed,
)
from providers.values import ModelCard
from tests.jobs.routing.test_choose import CHEAP, VENDOR

TWIN = replace(VENDOR, id="twin", label="Twin", provider="other")
SCENES = (SceneNeed("s1", 4_000, 6, has_image=True), SceneNeed("s2", 5_000, 4, has_image=True))


def route(
    *candidates: Candidate,
    seed: str = "",
    exploration: float = 0.0,
    branches: str = "A",
    at_hand: AtHand = NOTHING_AT_HAND,
) -> Routing:
    return choose_models(
        scenes=SCENES,
        branches=[BranchNeed(key) for key in branches],
        candidates=candidates,
        limits=Limits(Profile.BALANCED, 50_000_000, seed=seed, exploration=exploration),
        at_hand=at_hand,
    )


def candidate(card: ModelCard, **more: object) -> Candidate:
    return Candidate(card, card.label, **more)  # type: ignore[arg-type]


def test_equals_take_turns_by_what_their_providers_had_to_do() -> None:
    loads: Counter[str] = Counter()
    for _ in range(40):
        routing = route(candidate(VENDOR, load=loads["vendor"]), candidate(TWIN, load=loads["other"]))
        loads.update(choice.provider for choice in routing.choices)
    assert loads["vendor"] == loads["other"]
    assert set(routing.peers["A"]) == {"vendor-fine", "twin"}
    assert "less to do" in route(candidate(VENDOR, load=9), candidate(TWIN)).choices[0].reason


def test_the_better_model_is_not_given_up_for_an_idle_one() -> None:
    routing = route(candidate(VENDOR, load=1_000), candidate(replace(CHEAP, quality=3, provider="idle")))
    assert routing.leads == {"A": "vendor-fine"}


def test_a_share_of_variants_tries_what_is_little_known_and_repeats_itself() -> None:
    known = candidate(VENDOR, figures=Figures(tries=100))
    unknown = candidate(replace(TWIN, quality=8, speed_s_per_s=26))

    def leads(exploration: float) -> list[str]:
        plans = [route(known, unknown, seed=f"brief {n}", exploration=exploration) for n in range(200)]
        return [plan.leads["A"] for plan in plans]

    assert set(leads(0.0)) == {"vendor-fine"}
    tried = leads(0.1).count("twin")
    assert 8 <= tried <= 35
    assert leads(0.1) == leads(0.1)
    explored = next(
        plan
        for plan in (route(known, unknown, seed=f"brief {n}", exploration=0.1) for n in range(200))
        if plan.leads["A"] == "twin"
    )
    assert "tried on purpose" in explored.choices[0].reason


def test_a_model_whose_pass_rate_halves_stops_leading() -> None:
    good = figures_from([Sample(1, passed=n % 10 != 0) for n in range(100)])
    halved = figures_from([Sample(1, passed=n % 20 < 9) for n in range(100)])
    rival = candidate(replace(TWIN, quality=8))
    assert route(candidate(VENDOR, figures=good), rival).leads == {"A": "vendor-fine"}
    after = route(candidate(VENDOR, figures=halved), rival)
    assert after.leads == {"A": "twin"}
    assert "less reliable" in "\n".join(after.choices[0].rejected)


def test_few_attempts_move_the_expectation_a_little_and_many_replace_it() -> None:
    few, many = figures_from([Sample(0, passed=False)] * 2), figures_from([Sample(0, passed=False)] * 200)
    assert EXPECTED_PASS > few.pass_rate > 0.7
    assert many.pass_rate < 0.1
    assert figures_from([]) == PRIOR


def test_old_attempts_count_less_than_new_ones() -> None:
    samples = [Sample(120, passed=False)] * 50 + [Sample(0, passed=True)] * 50
    assert figures_from(samples).pass_rate > 0.9


def test_a_genre_leans_on_the_model_where_it_has_few_attempts() -> None:
    samples = [Sample(0, passed=True, genre="ugc")] * 100 + [Sample(0, passed=False, genre="cinematic")] * 3
    usual, cinematic = figures_from(samples), figures_from(samples, genre="cinematic")
    assert usual.pass_rate > cinematic.pass_rate > 0.5
    assert figures_from(samples, genre="never made") == usual


def test_a_measured_pace_replaces_the_declared_one() -> None:
    measured = figures_from([Sample(0, passed=True, pace=2.0)] * 100)
    assert 2.0 <= measured.pace_or(20.0) < 3.5
    assert PRIOR.pace_or(20.0) == 20.0


def test_between_equals_the_one_whose_result_is_here_leads_out_of_turn() -> None:
    busy, idle = candidate(VENDOR, load=9), candidate(TWIN)
    assert route(busy, idle).leads == {"A": "twin"}
    reused = route(busy, idle, at_hand={("A", "vendor-fine"): 400_000})
    assert reused.leads == {"A": "vendor-fine"}
    assert "are here already (saves $0.40)" in reused.choices[0].reason
    assert route(busy, idle, at_hand={("B", "vendor-fine"): 400_000}).leads == {"A": "twin"}


def test_a_worse_model_does_not_lead_because_its_result_is_here() -> None:
    weak = candidate(replace(CHEAP, quality=3, provider="weak"))
    assert route(candidate(VENDOR), weak, at_hand={("A", "vendor-cheap"): 400_000}).leads == {"A": "vendor-fine"}


def test_what_is_tried_on_purpose_is_in_good_health() -> None:
    known, sick = candidate(VENDOR, figures=Figures(tries=100)), candidate(TWIN, lane=Lane(0.9, "its vendor is busy"))
    plans = [route(known, sick, seed=f"brief {n}", exploration=1.0) for n in range(20)]
    assert {plan.leads["A"] for plan in plans} == {"vendor-fine"}


def standing(card: ModelCard, score: float, price_micro: int, **more: object) -> Standing:
    return Standing(card.id, candidate(card, **more), score, price_micro)


def names(groups: list[list[Standing]]) -> list[list[str]]:
    return [[one.model for one in group] for group in groups]


def test_taking_turns_costs_no_money() -> None:
    best, rival = standing(VENDOR, 0.80, 500_000, load=9), standing(TWIN, 0.79, 620_000)
    assert names(equals([best, rival])) == [["twin", "vendor-fine"]]
    dearer = standing(TWIN, 0.79, 630_000)
    assert names(equals([best, dearer])) == [["vendor-fine"], ["twin"]]
    cheaper = standing(TWIN, 0.79, 390_000, load=99)
    assert names(equals([best, cheaper])) == [["twin"], ["vendor-fine"]]


def test_models_for_another_tier_of_scenes_are_no_equals() -> None:
    best, lesser = standing(VENDOR, 0.80, 500_000, load=9), standing(replace(TWIN, quality=8), 0.79, 500_000)
    assert names(equals([best, lesser])) == [["vendor-fine"], ["twin"]]
