"""Checks the prerequisites before the installation, and prints what is missing. Runs on any Python 3."""

import importlib.util
import shutil
import sys

NEEDED_MEGABYTES = 700


def missing():
    """The message about what is missing, or None."""
    if sys.version_info < (3, 11):
        found = ".".join(map(str, sys.version_info[:3]))
        return (
            "Python 3.11 or newer is needed, this is %s: use another one, as in `make run PYTHON=python3.12`." % found
        )
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        return "Python has no venv module: install it (Debian, Ubuntu: `apt install python3-venv`)."
    free = shutil.disk_usage(".").free // 1_000_000
    if free < NEEDED_MEGABYTES:
        return "This disk has %d MB free, but %d MB are needed." % (free, NEEDED_MEGABYTES)
    return None


if __name__ == "__main__":
    problem = missing()
    if problem is not None:
        sys.exit("taskriver: " + problem)
