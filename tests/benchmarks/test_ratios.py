from benchmarks.ratios import Spread, ratio, values
from tests.benchmarks.support import measured


class TestRatio:
    def test_a_ratio_is_taken_within_a_round(self):
        """The result is the median of the ratios, not the ratio of medians, because a busy round slows both."""
        assert ratio(measured(), "W1", "ours", "mercurius") == Spread(1.5, 1.5, 1.6)

    def test_rounds_without_one_peer_do_not_count(self):
        """A peer is compared only in rounds in which it took part."""
        some = [each for each in measured() if not (each.peer == "ours" and each.round == 2)]
        assert ratio(some, "W1", "ours", "mercurius") == Spread(1.5, 1.5, 1.5)

    def test_without_a_common_round_there_is_no_ratio(self):
        """Peers that were never measured together have no ratio."""
        some = [each for each in measured() if (each.peer == "ours") == (each.round == 0)]
        assert ratio(some, "W1", "ours", "mercurius") is None
        assert ratio(measured(), "W2", "ours", "mercurius") is None

    def test_a_base_of_zero_has_no_ratio(self):
        """Nothing is divided by zero."""
        some = [each for each in measured(per_cpu=0.0) if each.round == 0]
        assert ratio(some, "W1", "ours", "mercurius", "per_cpu") is None

    def test_numbers_beside_the_rate_have_ratios(self):
        """A number that all peers have is compared as the rate is."""
        assert ratio(measured(per_cpu=7.0), "W1", "ours", "mercurius", "per_cpu") == Spread(1.0, 1.0, 1.0)


class TestValues:
    def test_missing_numbers_are_absent(self):
        """They are not zero."""
        assert values(measured(), "W1", "ours", "alone") == {}
        assert values(measured(), "W1", "ours") == {0: 300.0, 1: 150.0, 2: 480.0}


class TestSpread:
    def test_the_spread_is_the_median_and_both_ends(self):
        """The median of an even number of values is the mean of the middle two."""
        assert Spread.of([4.0, 1.0, 2.0, 3.0]) == Spread(2.5, 1.0, 4.0)
