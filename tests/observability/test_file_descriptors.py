"""A process without free file descriptors logs it, at a limited rate, and its end."""

import logging

import pytest

from observability.file_descriptors import QUIET_SECONDS, FileDescriptors


def test_it_is_logged_once_a_minute(caplog: pytest.LogCaptureFixture):
    """The end is logged, too."""
    caplog.set_level(logging.INFO, "taskriver.files")
    left = [True, False, False, True, False, True]
    descriptors = FileDescriptors(probe=lambda: left.pop(0))
    found = []
    for second in range(6):
        descriptors.check(float(second))
        found.append(descriptors.exhausted)

    assert found == [False, True, True, False, True, False]
    assert descriptors.exhausted_seconds == 3
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO", "INFO"]
    assert "LimitNOFILE" in caplog.messages[0]

    left.append(False)
    descriptors.check(1.0 + QUIET_SECONDS)
    assert [record.levelname for record in caplog.records][3:] == ["WARNING"]


def test_the_real_check_finds_free_descriptors():
    """It keeps none open."""
    descriptors = FileDescriptors()
    descriptors.check(0.0)
    assert not descriptors.exhausted
