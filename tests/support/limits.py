"""Product limits that tests do not test: all their clients have one address, which must not be refused."""

from typing import Final

UNLIMITED: Final = 10**6

PER_ADDRESS: Final = {
    "registrations_per_address": UNLIMITED,
    "login_failures_per_address": UNLIMITED,
    "password_hashes_per_address": UNLIMITED,
}
"""Settings for every server of a test, unless the test sets its own; limits per account and session stay."""
