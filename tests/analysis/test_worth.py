"""What a feature method owes to its features: direction, scale or luck."""

from helpers.stored_runs import add_done, add_failed, add_seeds, make_start

from agopconsole.analysis.answer import answer
from agopconsole.analysis.report import build_report

BASE = [50.0, 51.0, 52.5]
TWIN = [50.4, 50.8, 52.7]
BETTER = [55.0, 56.1, 57.4]
WORSE = [30.0, 31.3, 32.2]


def sentence_of(store, method):
    (found,) = [text for text in answer(build_report(store)) if text.startswith(f"{method}: ")]
    return found.removeprefix(f"{method}: ")


def test_worse_than_twin_and_random_directions_is_the_directions_doing(store):
    add_seeds(store, "kaiming_uniform", BASE)
    add_seeds(store, "kaiming_normal", TWIN)
    add_seeds(store, "kaiming_nfm", WORSE)
    add_seeds(store, "kaiming_nfm", TWIN, basis="rotated")
    assert sentence_of(store, "kaiming_nfm") == (
        "its features make it worse than its isotropic twin kaiming_normal by 20.13 ± 1.37 (n = 3); worse than its"
        " spectrum in random directions by 20.13 ± 1.37 (n = 3): the directions' doing"
    )
    assert sentence_of(store, "kaiming_nfm basis=rotated").startswith("no difference to its isotropic twin")


def test_a_twin_that_gains_as_much_leaves_nothing_to_the_features(store):
    add_seeds(store, "kaiming_uniform", BASE)
    add_seeds(store, "lecun_normal", BETTER)
    add_seeds(store, "nfm", [55.5, 55.8, 57.3])
    assert sentence_of(store, "nfm") == (
        "no difference to its isotropic twin lecun_normal is shown (+0.03 ± 1.03, n = 3), so that nothing is put down"
        " to its features; the twin itself is better than kaiming_uniform by 5.00 ± 0.25 (n = 3), in which no feature"
        " has a part"
    )


def test_where_neither_difference_is_shown_it_may_be_luck(store):
    add_seeds(store, "kaiming_uniform", BASE)
    add_seeds(store, "kaiming_normal", TWIN)
    add_seeds(store, "kaiming_nfm", [50.0, 51.2, 52.6])
    assert sentence_of(store, "kaiming_nfm") == (
        "no difference to its isotropic twin kaiming_normal is shown (-0.03 ± 1.00, n = 3), nor to kaiming_uniform:"
        " what the means differ by may be luck"
    )


def test_starts_at_other_scales_leave_direction_and_scale_together(store):
    add_seeds(store, "kaiming_normal", TWIN, start=make_start())
    add_seeds(store, "kaiming_nfm", WORSE, start=make_start(outputs=(2.0, 16000.0), participation_ratio=1.0))
    assert sentence_of(store, "kaiming_nfm").endswith(
        "at the start its worst layer's outputs have mean square 16,000 (twin 2), its last layer participation ratio"
        " 1.0 (twin 10.0); how much is that scale and how much direction, these two do not tell apart"
    )


def test_starts_at_one_scale_leave_no_such_doubt(store):
    add_seeds(store, "kaiming_normal", TWIN, start=make_start(), scale="lsuv")
    add_seeds(store, "kaiming_nfm", WORSE, start=make_start(outputs=(2.0, 2.1)), scale="lsuv")
    assert sentence_of(store, "nfm scale=lsuv").endswith("participation ratio 10.0 (twin 10.0)")


def test_without_a_twin_features_and_scale_are_not_told_apart(store):
    add_seeds(store, "kaiming_uniform", BASE)
    add_seeds(store, "agop", WORSE)
    assert sentence_of(store, "agop") == (
        "its isotropic twin lecun_normal was not run, so that features and scale are not told apart"
    )


def test_runs_that_diverged_are_said_first(store):
    add_seeds(store, "kaiming_normal", TWIN)
    for seed in range(2):
        add_failed(store, diverged=True, init="kaiming_agop", seed=seed)
    add_seeds(store, "kaiming_nfm", WORSE[:2])
    add_failed(store, diverged=True, init="kaiming_nfm", seed=2)
    assert sentence_of(store, "kaiming_agop") == "no number, all 2 runs diverged"
    assert sentence_of(store, "kaiming_nfm").startswith("of its 3 runs 1 diverged and is left out; its features make")


def test_one_seed_is_no_comparison(store):
    add_seeds(store, "kaiming_normal", TWIN)
    add_done(store, 60.0, init="kaiming_nfm", seed=0)
    assert sentence_of(store, "kaiming_nfm") == (
        "not compared with its isotropic twin kaiming_normal, for want of two seeds that both have"
    )


def test_a_difference_that_is_one_of_several_says_if_it_does_not_hold(store):
    add_seeds(store, "kaiming_normal", [50.0, 51.0, 52.0])
    add_seeds(store, "kaiming_nfm", [52.0, 52.0, 54.0])
    add_seeds(store, "kaiming_agop", [60.0, 61.1, 61.9])
    add_seeds(store, "kaiming_nfm", [50.0, 52.0, 51.0], basis="rotated")
    correction = "which does not hold after Holm's correction of the t test for 3 comparisons"
    assert correction in sentence_of(store, "kaiming_nfm")
    assert correction not in sentence_of(store, "kaiming_agop")
