"""The whole contract, check by check."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from verification.compat.endpoints import ENDPOINTS
from verification.compat.http import Client, NoServer
from verification.compat.purposes import PURPOSES
from verification.compat.refusals import REFUSALS
from verification.compat.verdict import Differs, Finding, NotTried, OnPurpose, Verdict
from verification.compat.visit import Visit

Check = Callable[[Visit], None]
CHECKS: Final[tuple[Check, ...]] = (*ENDPOINTS, *REFUSALS, *PURPOSES)
"""In the order in which they are tried: later ones use what earlier ones have made."""

_VERDICTS: Final = {Differs: Verdict.DIFFERS, OnPurpose: Verdict.ON_PURPOSE, NotTried: Verdict.NOT_TRIED}


@dataclass(slots=True)
class Compatibility:
    """A visit to one server. Some three hundred requests, one after the other."""

    url: str
    left: str = ""
    """What could not be removed, once all is done."""
    _visit: Visit = field(init=False)

    def __post_init__(self) -> None:
        self._visit = Visit(Client(self.url))

    @property
    def requests(self) -> int:
        """How many were sent."""
        return self._visit.client.sent

    def run(self) -> Iterator[Finding]:
        """What was found, as it is found.

        Raises:
            NoServer: nobody answers, from the start or any more.
        """
        try:
            for check in CHECKS:
                yield _tried(check, self._visit)
        finally:
            self.left = self._visit.clean_up()


def _tried(check: Check, visit: Visit) -> Finding:
    what = (check.__doc__ or "").partition("\n")[0].rstrip(".")
    try:
        check(visit)
    except NoServer:
        raise
    except (Differs, OnPurpose, NotTried) as found:
        return Finding(what, _VERDICTS[type(found)], str(found))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        # Somebody else's server may answer anything; what does not even have the shape is told as such.
        return Finding(what, Verdict.DIFFERS, f"the answer has another shape ({type(error).__name__}: {error})")
    return Finding(what, Verdict.MATCHES, "")
