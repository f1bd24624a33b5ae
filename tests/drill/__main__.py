"""`python -m tests.drill`: run the drill and print its steps; the exit code is 1 if anything differs."""

import logging
import sys

from server import signals
from tests.drill.restore_drill import RestoreDrill
from tests.support.folders import server_folder


async def main() -> int:
    """Run it; 0 if nothing differs."""
    logging.disable(logging.WARNING)  # the process reports the outage, which is a part of the drill
    with server_folder("drill") as folder:
        steps = await RestoreDrill(folder).run()
    sys.stdout.write(f"{steps.table()}\n")
    return 1 if steps.problems else 0


if __name__ == "__main__":
    sys.exit(signals.run(main()))  # a signal ends the servers, too
