"""What a command could not do, in one line for the person at the terminal."""


class CommandError(Exception):
    """Says what is wrong and what to do about it."""
