"""The promises of README, each with the command that tests it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from verification.promises import alike, bad_input, secrecy, signing_out, speed, standards, stream
from verification.promises.stack import Measured, Stack


@dataclass(frozen=True, slots=True)
class Promise:
    """A row of the table. *name* is the argument of `make prove ARGS=name`."""

    name: str
    text: str
    prove: Callable[[Stack], Awaitable[Measured]]

    @property
    def command(self) -> str:
        """The command that tests only this promise."""
        return f"make prove ARGS={self.name}"


PROMISES: Final = (
    Promise("stream", "An acknowledged change is never lost from the stream.", stream.prove),
    Promise("secrecy", "Subscribers receive only what they may see.", secrecy.prove),
    Promise("signing-out", "Signing out takes effect everywhere within a second.", signing_out.prove),
    Promise("alike", "Development, tests and production run the same code and servers.", alike.prove),
    Promise("standards", "The API follows the specifications.", standards.prove),
    Promise("bad-input", "Bad input gets an error message, never a 500.", bad_input.prove),
    Promise("speed", "Reading a task takes no longer than with Mercurius and its JIT.", speed.prove),
)
