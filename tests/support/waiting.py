"""How long tests wait for what must happen: a bound that only a hang reaches, on any machine under any load."""

from typing import Final

HANG_SECONDS: Final = 180.0
