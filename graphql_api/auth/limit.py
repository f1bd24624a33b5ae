"""How many in how long."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """At most *most* in a window of *seconds*; the window begins with the first one.

    Such windows lie end to end, so in the worst case twice as many meet around the end of one. *name* keeps the
    counts of different limits apart.
    """

    name: str
    most: int
    seconds: int

    def window(self, key: str) -> str:
        """Names the window of a key, by a digest: neither names nor addresses can be read off the keys of a Redis."""
        # What people send as a name may hold lone surrogates.
        text = f"{self.name}\0{key}".encode("utf-8", "surrogatepass")
        return f"{self.name}:{hashlib.sha256(text).hexdigest()}"
