"""How many generated cases a run has: all of them, or with `GENERATED_CASES=few` an eighth, the same ones every time.

`make test` has few, `make test-slow` and `make coverage` have all of them.
"""

import os
from typing import Final

FEW: Final = os.environ.get("GENERATED_CASES") == "few"


def cases(number: int) -> int:
    """So many, or an eighth of them."""
    return max(1, number // 8) if FEW else number
