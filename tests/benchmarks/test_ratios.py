from benchmarks.ratios import Spread, ratio, values
from tests.benchmarks.support import measured


class TestRatio:
    def test_it_is_taken_within_a_round(self):
        """A busy round hurts both, so it leaves the ratio alone: the median of the ratios, not the ratio of medians."""
        assert ratio(measured(), "W1", "ours", "mercurius") == Spread(1.5, 1.5, 1.6)

    def test_rounds_that_one_has_missed_do_not_count(self):
        """Nobody is compared with a round in which they did not take part."""
        some = [each for each in measured() if not (each.peer == "ours" and each.round == 2)]
        assert ratio(some, "W1", "ours", "mercurius") == Spread(1.5, 1.5, 1.5)

    def test_without_a_common_round_there_is_none(self):
        """Peers that were never measured together have no ratio."""
        some = [each for each in measured() if (each.peer == "ours") == (each.round == 0)]
        assert ratio(some, "W1", "ours", "mercurius") is None
        assert ratio(measured(), "W2", "ours", "mercurius") is None

    def test_a_base_that_did_nothing_has_no_ratio(self):
        """Nothing is divided by zero."""
        some = [each for each in measured(per_cpu=0.0) if each.round == 0]
        assert ratio(some, "W1", "ours", "mercurius", "per_cpu") is None

    def test_numbers_beside_the_rate_have_ratios_too(self):
        """A number that everybody has is compared as the rate is."""
        assert ratio(measured(per_cpu=7.0), "W1", "ours", "mercurius", "per_cpu") == Spread(1.0, 1.0, 1.0)


class TestValues:
    def test_what_was_not_measured_is_left_out(self):
        """A number that a peer does not have is absent, not zero."""
        assert values(measured(), "W1", "ours", "alone") == {}
        assert values(measured(), "W1", "ours") == {0: 300.0, 1: 150.0, 2: 480.0}


class TestSpread:
    def test_it_is_the_median_and_both_ends(self):
        """An even number of values has its median in the middle of two."""
        assert Spread.of([4.0, 1.0, 2.0, 3.0]) == Spread(2.5, 1.0, 4.0)
