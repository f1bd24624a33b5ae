"""The log of this process."""

import pytest

from tests.support.log import Log


@pytest.fixture
def log(no_secrets_in_logs: Log) -> Log:
    """The log as in production, with own lines from "debug" on."""
    return no_secrets_in_logs
