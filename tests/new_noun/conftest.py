"""The tests of the noun run in a copy of the repository only."""

collect_ignore = ["noun"]
