"""Ranks: between any two there is another one, and they sort as they were placed."""

import random

import pytest

from domain.rank import LONG, MOST, WHOLE, check_place, check_rank, number_of, rank_before, rank_between, spread, whole

SMALLEST, GREATEST = -1_000_000, 1_000_000


@pytest.mark.parametrize("number", [SMALLEST, -63, -1, 0, 1, 61, 62, 3_843, 3_844, GREATEST])
def test_whole_numbers_are_read_back(number: int):
    """With eight characters each, in the order of the numbers."""
    assert number_of(whole(number)) == number
    assert len(whole(number)) == WHOLE
    assert whole(number) < whole(number + 1)


@pytest.mark.parametrize("seed", range(40))
def test_any_order_of_placing(seed: int):
    """At either end, in one gap or anywhere: the ranks are in the order in which the tasks were placed."""
    chance = random.Random(seed)
    ranks = [whole(1)]
    habit = chance.choice(["anywhere", "behind the first", "before the last"])
    for _ in range(200):
        last = len(ranks)
        place = {
            "anywhere": chance.randint(0, last),
            "behind the first": min(1, last),
            "before the last": last - 1,
        }[habit]
        if place == 0:
            made = rank_before(ranks[0])
        elif place == last:
            made = whole(number_of(ranks[-1]) + 1)
        else:
            made = rank_between(ranks[place - 1], ranks[place])
        ranks.insert(place, made)

    assert ranks == sorted(set(ranks))
    assert all(not rank[WHOLE:].endswith("0") for rank in ranks)


def test_a_gap_takes_five_tasks_or_more_for_each_character():
    """A thousand need 200 characters; so many are never stored, because ranks are replaced before."""
    lower, upper = whole(1), whole(2)
    for _ in range(1_000):
        upper = rank_between(lower, upper)
    assert len(upper) - WHOLE <= 200


@pytest.mark.parametrize(
    ("lower", "upper"),
    [(whole(1), whole(1) + "01"), (whole(1) + "z", whole(2)), (whole(1) + "1", whole(1) + "2"), (whole(-1), whole(1))],
)
def test_narrow_gaps(lower: str, upper: str):
    """Zeros in a fraction, and neighbours without space."""
    assert lower < rank_between(lower, upper) < upper


@pytest.mark.parametrize("upper", [whole(1), whole(0)])
def test_between_needs_an_order(upper: str):
    """Otherwise it would return a wrong rank."""
    with pytest.raises(ValueError, match="is not less than"):
        rank_between(whole(1), upper)


@pytest.mark.parametrize("tasks", [0, 1, 2, 61, 62, 63, 1_000, 5_000])
def test_spread_ranks_are_short(tasks: int):
    """They are between the whole number and the next one, in order, with space between them."""
    ranks = spread(7, tasks)
    assert len(ranks) == tasks
    assert ranks == sorted(set(ranks))
    assert all(whole(7) < rank < whole(8) and not rank.endswith("0") for rank in ranks)
    assert max(map(len, ranks), default=0) <= WHOLE + 3


@pytest.mark.parametrize("text", ["", "V", "V000000", "V000000!", "V00000é1", whole(1) + "1" * LONG])
def test_other_texts_are_no_ranks(text: str):
    """A cursor can have any text."""
    with pytest.raises(ValueError) as caught:
        check_rank(text)
    assert str(caught.value) == text


def test_a_rank_is_checked():
    """With and without a fraction."""
    assert check_rank(whole(1)) == whole(1)
    assert check_rank(whole(1) + "V") == whole(1) + "V"


@pytest.mark.parametrize("number", [-MOST, -1, 0, 1, MOST])
def test_a_rank_of_another_database(number: int):
    """It is accepted with a fraction, too."""
    for text in (whole(number), whole(number) + "V", whole(number) + "0V"):
        assert check_place(text) == text


@pytest.mark.parametrize(
    "text", ["", "V000000!", whole(1) + "0", whole(1) + "V0", whole(MOST + 1), whole(-MOST - 1), "z" * 8, "0" * 8]
)
def test_ranks_that_this_database_would_not_make(text: str):
    """Their fractions leave no room behind them, or their whole numbers before or behind them."""
    with pytest.raises(ValueError) as caught:
        check_place(text)
    assert str(caught.value) == text
