"""The family of refusals keeps together."""

import pytest

from domain import errors
from domain.errors import DomainError, ErrorCode, Failure, FailureCode, RateLimited, Refusal

FAMILY = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DomainError)]
REFUSALS = [kind for kind in FAMILY if issubclass(kind, Refusal) and kind is not Refusal]
FAILURES = [kind for kind in FAMILY if issubclass(kind, Failure) and kind is not Failure]


class TestFamily:
    def test_every_code_has_exactly_one_refusal(self):
        """A code that the schema lists can be raised, and no two refusals share one."""
        assert sorted(kind.code for kind in REFUSALS) == sorted(ErrorCode)

    def test_failures_do_not_share_codes(self):
        """Each failure has a code of its own; one code is the edge's own word."""
        edges_own = {FailureCode.INTERNAL}
        assert sorted(kind.code for kind in FAILURES) == sorted(set(FailureCode) - edges_own)

    @pytest.mark.parametrize("kind", FAMILY)
    def test_the_drawing_shows_everyone(self, kind: type[DomainError]):
        """The tree at the top of the file names each member of the family."""
        assert errors.__doc__ is not None
        assert kind.__name__ in errors.__doc__

    @pytest.mark.parametrize(("seconds", "expected"), [(-5, 1), (0, 1), (1, 1), (90, 90)])
    def test_come_back_in_a_second_at_least(self, seconds: int, expected: int):
        """Nobody is told to come back at once, or in the past."""
        assert RateLimited("Too many.", retry_after=seconds).retry_after == expected
