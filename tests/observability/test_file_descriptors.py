"""A process that can open no more files says so, not too often, and is well again afterwards."""

import logging

import pytest

from observability.file_descriptors import QUIET_SECONDS, FileDescriptors


def test_it_is_noticed_and_logged_once_a_minute(caplog: pytest.LogCaptureFixture):
    """However often it happens; and that it is over is logged, too."""
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


def test_there_are_some_left_now():
    """The real look finds one, and keeps none."""
    descriptors = FileDescriptors()
    descriptors.check(0.0)
    assert not descriptors.exhausted
