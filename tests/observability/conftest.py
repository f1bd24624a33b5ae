"""The log of this process."""

import pytest

from tests.support.log import Log


@pytest.fixture
def log(discreet_log: Log) -> Log:
    """The log as production has it, with our own lines from "debug" on."""
    return discreet_log
