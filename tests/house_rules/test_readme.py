"""What the README shows is there: its commands, its targets, its links. `make readme` runs its commands."""

import re
import subprocess
import sys

from tests.readme.text import README, ROOT, blocks


def test_its_list_of_commands_is_the_real_one():
    """The excerpt of `taskriver --help` has every command, in the help's own words."""
    [shown] = [text for text in blocks("") if text.startswith("$ taskriver --help\n")]
    said = subprocess.run([sys.executable, "-m", "graphql_api", "--help"], capture_output=True, text=True, check=True)
    real = said.stdout.partition("Commands:\n")[2].splitlines()
    assert sorted(shown.splitlines()[1:]) == sorted(line for line in real if line)


def test_every_target_is_there():
    """Whatever it tells to make can be made."""
    targets = set(re.findall(r"`?\bmake ([a-z][a-z0-9-]+)", "\n".join([*blocks(), *re.findall(r"`[^`\n]+`", README)])))
    assert {"run", "test"} <= targets
    listed = set(re.findall(r"^([a-z0-9-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert targets <= listed


def test_every_link_leads_somewhere():
    """Links to files of the repository name files that are there."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert len(links) > 5
    assert [link for link in links if not (ROOT / link).exists()] == []
