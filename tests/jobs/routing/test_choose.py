from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from jobs.routing.choose import choose_models
from jobs.routing.complexity import complexity_of
from jobs.routing.types import BranchNeed, Candidate, FixKind, Limits, NothingFits, Profile, Routing, SceneNeed
from providers.values import Facts, Feature, Free, InputRole, ModelCard, PerSecond, SecondsRange, Task

LOCAL = ModelCard(
    id="local",
    version="1",
    label="Local engine",
    tasks=frozenset({Task.TEXT_TO_VIDEO, Task.IMAGE_TO_VIDEO, Task.VIDEO_TO_VIDEO}),
    price=Free(),
    speed_s_per_s=1,
    quality=4,
    facts=Facts.DOC,
    prices_as_of=date(2026, 11, 1),
    durations=SecondsRange(0.5, 60, 0.001),
    input_roles=frozenset({InputRole.FIRST_FRAME, InputRole.VIDEO}),
    provider="local",
)
VENDOR = ModelCard(
    id="vendor-fine",
    version="1",
    label="Vendor Fine",
    tasks=frozenset({Task.TEXT_TO_VIDEO, Task.IMAGE_TO_VIDEO}),
    price=PerSecond(Decimal("0.10"), tiers={"720p": Decimal("0.08")}),
    speed_s_per_s=20,
    quality=9,
    facts=Facts.DOC,
    prices_as_of=date(2026, 11, 1),
    durations=(5, 10),
    ratios=("16:9", "9:16"),
    resolutions=("720p", "1080p"),
    provider="vendor",
)
CHEAP = replace(VENDOR, id="vendor-cheap", label="Vendor Cheap", quality=6, price=PerSecond(Decimal("0.03")))
SCENES = (
    SceneNeed("s1", 4_000, 6, "people or hands", has_image=True),
    SceneNeed("s2", 6_000, 4, has_image=True),
)


def candidate(card: ModelCard, refusal: str = "") -> Candidate:
    return Candidate(card, card.label, is_local=card.provider == "local", refusal=refusal)


def route(
    *cards: ModelCard,
    profile: Profile = Profile.BALANCED,
    cap: int = 20_000_000,
    branches: str = "AB",
    scenes: tuple[SceneNeed, ...] = SCENES,
    seconds_left: int | None = None,
) -> Routing:
    return choose_models(
        scenes=scenes,
        branches=[BranchNeed(key) for key in branches],
        candidates=[candidate(card) for card in cards],
        limits=Limits(profile, cap, seconds_left),
    )


def test_quality_first_leads_with_the_best_vendor_and_economy_with_what_is_free() -> None:
    assert route(LOCAL, VENDOR, CHEAP, profile=Profile.QUALITY).leads == {"A": "vendor-fine", "B": "local"}
    assert route(LOCAL, VENDOR, CHEAP, profile=Profile.ECONOMY).leads["A"] == "local"


def test_variants_differ_in_their_lead_as_long_as_there_are_models() -> None:
    leads = route(LOCAL, VENDOR, CHEAP, branches="ABC").leads
    assert len(set(leads.values())) == 3
    shared = route(LOCAL, branches="AB")
    assert shared.notes
    assert "share a model" in shared.notes[0]


def test_every_choice_and_every_rejection_has_its_sentence() -> None:
    routing = choose_models(
        scenes=SCENES,
        branches=[BranchNeed("A")],
        candidates=[
            candidate(LOCAL),
            candidate(VENDOR),
            candidate(CHEAP, "no working Vendor key in this workspace."),
            candidate(replace(VENDOR, id="words", label="Words Only", tasks=frozenset({Task.TEXT_TO_VIDEO}))),
        ],
        limits=Limits(Profile.QUALITY, 20_000_000),
    )
    choice = routing.choice("s1", "A")
    assert "Vendor Fine leads this variant" in choice.reason
    assert "people or hands" in choice.reason
    rejected = "\n".join(choice.rejected)
    assert len(choice.rejected) == 3
    assert "Local engine: scores" in rejected
    assert "Vendor Cheap: no working Vendor key" in rejected
    assert "Words Only: does not start from a picture" in rejected


def test_the_price_is_exact_for_the_length_the_vendor_makes() -> None:
    routing = route(VENDOR, branches="A", profile=Profile.QUALITY)
    first, second = routing.choices
    assert (first.offer.duration_ms, first.offer.price_micro) == (5_000, 500_000)
    assert (second.offer.duration_ms, second.offer.price_micro) == (10_000, 1_000_000)
    assert first.offer.price_upper_micro == 550_000
    assert routing.price_micro == 1_500_000
    cheaper = route(VENDOR, branches="A", profile=Profile.ECONOMY)
    assert cheaper.choices[0].offer.resolution == "720p"
    assert cheaper.price_micro == 1_200_000


def test_clips_move_to_a_cheaper_model_before_the_budget_is_passed() -> None:
    routing = route(VENDOR, CHEAP, branches="A", profile=Profile.QUALITY, cap=1_200_000)
    assert routing.problems == ()
    assert routing.price_upper_micro <= 1_200_000
    moved = [c for c in routing.choices if c.model == "vendor-cheap"]
    assert moved
    assert "keeps the plan inside the budget" in moved[0].reason
    assert any("past the budget" in sentence for sentence in moved[0].rejected)


def test_what_the_budget_cannot_hold_is_said_with_the_changes_that_help() -> None:
    routing = route(LOCAL, VENDOR, branches="ABCD", profile=Profile.QUALITY, cap=1_700_000)
    (problem,) = routing.problems
    assert problem.code == "over_cap"
    fixes = {fix.kind: fix for fix in problem.fixes}
    assert fixes[FixKind.FEWER_VARIANTS].variants == 2  # the free variant between the dear ones counts
    assert fixes[FixKind.CHEAPER_MODEL].profile is Profile.ECONOMY
    raised = fixes[FixKind.RAISE_CAP].cap_micro
    assert raised is not None
    assert not route(LOCAL, VENDOR, branches="ABCD", profile=Profile.QUALITY, cap=raised).problems


def test_a_deadline_that_cannot_be_met_offers_a_later_one() -> None:
    routing = route(VENDOR, branches="A", profile=Profile.QUALITY, seconds_left=60)
    (problem,) = routing.problems
    assert problem.code == "past_deadline"
    assert problem.fixes[0].kind is FixKind.LONGER_DEADLINE


def test_a_product_on_a_picture_or_clip_is_never_imagined() -> None:
    footage = (SceneNeed("s1", 4_000, 5, has_footage=True),)
    routing = route(LOCAL, VENDOR, profile=Profile.QUALITY, scenes=footage)
    assert {c.model for c in routing.choices} == {"local"}
    assert {c.offer.task for c in routing.choices} == {Task.VIDEO_TO_VIDEO}
    pictured = route(LOCAL, VENDOR, profile=Profile.QUALITY)
    assert {c.offer.task for c in pictured.choices} == {Task.IMAGE_TO_VIDEO}


def test_a_logo_alone_is_drawn_and_not_imagined() -> None:
    scenes = (SceneNeed("s1", 3_000, 1, exact_lettering=True),)
    choice = route(VENDOR, LOCAL, branches="A", profile=Profile.QUALITY, scenes=scenes).choices[0]
    assert choice.model == "local"


def test_a_persons_choice_of_model_holds_for_the_whole_variant() -> None:
    routing = choose_models(
        scenes=SCENES,
        branches=[BranchNeed("A", "vendor-cheap"), BranchNeed("B")],
        candidates=[candidate(LOCAL), candidate(VENDOR), candidate(CHEAP)],
        limits=Limits(Profile.QUALITY, 20_000_000),
    )
    assert {c.model for c in routing.choices if c.branch == "A"} == {"vendor-cheap"}
    assert {c.model for c in routing.choices if c.branch == "B"} == {"vendor-fine"}


def test_a_price_without_a_rate_is_a_refusal_and_never_free() -> None:
    credits_only = replace(VENDOR, id="credits", label="Credits", price=PerSecond(Decimal("1"), "vendor-unit"))
    routing = route(LOCAL, credits_only, branches="A", profile=Profile.QUALITY)
    assert {c.model for c in routing.choices} == {"local"}
    assert any("no rate for vendor-unit" in sentence for sentence in routing.choices[0].rejected)


def test_no_model_at_all_says_what_to_do() -> None:
    with pytest.raises(NothingFits, match="connect a provider"):
        route(VENDOR, scenes=(SceneNeed("s1", 20_000, 5, has_image=True),))


def test_complexity_tells_a_plain_card_from_a_crowd() -> None:
    card = complexity_of(visual="Logo on a plain navy ground", camera="static", duration_ms=2_000)
    crowd = complexity_of(
        visual="A crowd of people dances, water splashes, day becomes night",
        camera="orbit",
        duration_ms=7_000,
        subjects=3,
    )
    assert card.value <= 3 < 8 <= crowd.value
    assert (card.tier, crowd.tier) == (1, 3)
    assert "people or hands" in crowd.reason


def test_with_reference_pictures_a_model_that_follows_them_is_preferred_and_the_others_hear_why() -> None:
    scenes = (replace(SCENES[0], reference_images=2),)
    follows = replace(
        VENDOR,
        id="guided",
        label="Guided",
        quality=8,
        supports=frozenset({Feature.REFERENCE_IMAGES}),
        input_roles=frozenset({InputRole.FIRST_FRAME, InputRole.REFERENCE}),
        max_references=3,
        reference_durations=(8,),
        provider="other",
    )
    plain = route(VENDOR, follows, branches="A", profile=Profile.QUALITY, scenes=SCENES[:1])
    assert plain.leads == {"A": "vendor-fine"}
    assert plain.choices[0].offer.references == 0
    guided = route(VENDOR, follows, branches="A", profile=Profile.QUALITY, scenes=scenes).choice("s1", "A")
    assert guided.model == "guided"
    assert (guided.offer.references, guided.offer.duration_ms, guided.offer.task) == (2, 8_000, Task.TEXT_TO_VIDEO)
    assert "It takes 2 of 2 reference pictures." in guided.reason
    assert any("Vendor Fine: scores" in line and "it takes no reference pictures" in line for line in guided.rejected)


def test_a_model_whose_operator_allows_shorter_clips_than_its_references_need_is_refused_in_words() -> None:
    follows = replace(
        VENDOR,
        id="guided",
        label="Guided",
        durations=(4, 6),
        supports=frozenset({Feature.REFERENCE_IMAGES}),
        input_roles=frozenset({InputRole.FIRST_FRAME, InputRole.REFERENCE}),
        max_references=3,
        reference_durations=(8,),
    )
    short = replace(SCENES[0], duration_ms=4_000, reference_images=2)
    told = route(LOCAL, follows, branches="A", scenes=(short,)).choice("s1", "A")
    assert told.model != "guided"
    words = "Guided: follows reference pictures in 8 s only, and an operator allows it shorter clips only."
    assert words in told.rejected
    alone = route(follows, branches="A", scenes=(replace(short, reference_images=0),)).choice("s1", "A")
    assert alone.offer.duration_ms == 4_000


def test_a_model_that_needs_reference_pictures_makes_no_scene_without_them() -> None:
    only = replace(
        VENDOR,
        id="only",
        label="Only By Pictures",
        tasks=frozenset({Task.REFERENCES_TO_VIDEO}),
        supports=frozenset({Feature.REFERENCE_IMAGES}),
        input_roles=frozenset({InputRole.REFERENCE}),
        max_references=4,
    )
    bare = route(LOCAL, only, branches="A", scenes=SCENES[:1]).choice("s1", "A")
    assert "Only By Pictures: makes clips by reference pictures only, and the scene has none." in bare.rejected
    scene = replace(SCENES[0], reference_images=5)
    asked = route(only, branches="A", scenes=(scene,)).choice("s1", "A").offer
    assert (asked.task, asked.references) == (Task.REFERENCES_TO_VIDEO, 3)
