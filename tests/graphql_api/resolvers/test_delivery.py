"""A slow answer is delivered if the rights are unchanged, and made again if they have changed."""

from graphql_api.resolvers.delivery import Delivery, current_answer
from tests.support.delivery import AnyDelivery


class SlowAnswers:
    """Answers that outlive the lease, while the rights change as listed."""

    def __init__(self, *rights: str, current_after: int) -> None:
        self._rights = list(rights)
        self._current_after = current_after
        self.answers: list[object] = []

    async def answer(self, delivery: Delivery) -> object:
        """Answer with the rights of the delivery."""
        self.answers.append(delivery.rights)
        return delivery.rights

    def delivery(self) -> Delivery:
        """The next delivery, with the rights at that time."""
        rights = self._rights.pop(0) if len(self._rights) > 1 else self._rights[0]
        return AnyDelivery("here", "ada", rights=rights, is_current=self._is_current, renewed=self._renewed)

    def _is_current(self) -> bool:
        self._current_after -= 1
        return self._current_after < 0

    async def _renewed(self) -> Delivery:
        return self.delivery()


async def test_a_current_answer_is_delivered():
    """One answer is made."""
    slow = SlowAnswers("seen", current_after=0)
    assert await current_answer(slow.delivery(), slow.answer) == "seen"
    assert slow.answers == ["seen"]


async def test_a_busy_process_answers_once():
    """Unchanged rights need no new answer, however often the lease expires."""
    slow = SlowAnswers("seen", current_after=5)
    assert await current_answer(slow.delivery(), slow.answer) == "seen"
    assert slow.answers == ["seen"]


async def test_an_answer_for_lost_rights_is_made_again():
    """The rights are lost while the answer is made."""
    slow = SlowAnswers("seen", "gone", current_after=1)
    assert await current_answer(slow.delivery(), slow.answer) == "gone"
    assert slow.answers == ["seen", "gone"]


async def test_every_change_of_rights_makes_a_new_answer():
    """The rights are lost and restored."""
    slow = SlowAnswers("seen", "gone", "seen", current_after=2)
    assert await current_answer(slow.delivery(), slow.answer) == "seen"
    assert slow.answers == ["seen", "gone", "seen"]
