"""What the README names is there: its targets, its links. `make readme` runs its commands."""

import re

from tests.readme.text import README, ROOT, blocks


def test_every_target_is_there():
    """Whatever it tells to make can be made."""
    typed = [line for block in blocks() for line in block.splitlines()] + re.findall(r"`([^`\n]+)`", README)
    targets = {found[1] for line in typed if (found := re.match(r"make ([a-z][a-z0-9-]+)", line))}
    assert {"run", "test"} <= targets
    listed = set(re.findall(r"^([a-z0-9-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert targets <= listed


def test_every_link_leads_somewhere():
    """Links to files of the repository name files that are there."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert len(links) > 5
    assert [link for link in links if not (ROOT / link).exists()] == []
