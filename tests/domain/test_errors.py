"""The hierarchy of errors is consistent."""

import pytest

from domain import errors
from domain.errors import DomainError, ErrorCode, Failure, FailureCode, RateLimited, Refusal

FAMILY = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DomainError)]
REFUSALS = [kind for kind in FAMILY if issubclass(kind, Refusal) and kind is not Refusal]
FAILURES = [kind for kind in FAMILY if issubclass(kind, Failure) and kind is not Failure]


class TestFamily:
    def test_every_code_has_exactly_one_refusal(self):
        """Each code of the schema has one exception class."""
        assert sorted(kind.code for kind in REFUSALS) == sorted(ErrorCode)

    def test_failures_have_distinct_codes(self):
        """One more code belongs to the transports."""
        edges_own = {FailureCode.INTERNAL}
        assert sorted(kind.code for kind in FAILURES) == sorted(set(FailureCode) - edges_own)

    @pytest.mark.parametrize("kind", FAMILY)
    def test_the_docstring_shows_every_class(self, kind: type[DomainError]):
        """The tree at the top of the module has all classes."""
        assert errors.__doc__ is not None
        assert kind.__name__ in errors.__doc__

    @pytest.mark.parametrize(("seconds", "expected"), [(-5, 1), (0, 1), (1, 1), (90, 90)])
    def test_retry_after_is_at_least_one_second(self, seconds: int, expected: int):
        """It is never zero or negative."""
        assert RateLimited("Too many.", retry_after=seconds).retry_after == expected
