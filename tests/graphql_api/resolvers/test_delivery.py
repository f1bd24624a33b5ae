"""An answer that took long: told if the right to it stands, given anew if it does not, and in any case at some time."""

from graphql_api.resolvers.delivery import Delivery, answered
from tests.support.delivery import AnyDelivery


class Slow:
    """Answers, and is told what the world is like afterwards."""

    def __init__(self, *standings: str, current_after: int) -> None:
        self._standings = list(standings)
        self._current_after = current_after
        self.answers: list[object] = []

    async def answer(self, telling: Delivery) -> object:
        """Answer with what the telling rests on."""
        self.answers.append(telling.standing)
        return telling.standing

    def telling(self) -> Delivery:
        """The next one, by what is true by then."""
        standing = self._standings.pop(0) if len(self._standings) > 1 else self._standings[0]
        return AnyDelivery("here", "ada", standing=standing, is_current=self._is_current, again=self._again)

    def _is_current(self) -> bool:
        self._current_after -= 1
        return self._current_after < 0

    async def _again(self) -> Delivery:
        return self.telling()


async def test_what_is_current_is_told():
    """One answer."""
    slow = Slow("seen", current_after=0)
    assert await answered(slow.telling(), slow.answer) == "seen"
    assert slow.answers == ["seen"]


async def test_a_busy_process_answers_once():
    """However often the right to it has to be looked at again, as long as it stands: else it would never be told."""
    slow = Slow("seen", current_after=5)
    assert await answered(slow.telling(), slow.answer) == "seen"
    assert slow.answers == ["seen"]


async def test_what_may_not_be_told_any_more_is_not():
    """The right was lost while the answer was made: what is told is what one may know now."""
    slow = Slow("seen", "gone", current_after=1)
    assert await answered(slow.telling(), slow.answer) == "gone"
    assert slow.answers == ["seen", "gone"]


async def test_every_change_of_it_counts():
    """There and back again."""
    slow = Slow("seen", "gone", "seen", current_after=2)
    assert await answered(slow.telling(), slow.answer) == "seen"
    assert slow.answers == ["seen", "gone", "seen"]
