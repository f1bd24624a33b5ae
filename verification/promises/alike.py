"""Development, tests and production run the same code and servers."""

import asyncio

from verification.compat.check import Compatibility
from verification.compat.result import Verdict
from verification.promises.stack import Measured, Outcome, Stack


async def prove(stack: Stack) -> Measured:
    """Ask a process as `make run` has it, and one with production's settings, the same things; compare the answers."""
    tried, deployed = [await asyncio.to_thread(_asked, url) for url in (stack.first, stack.production)]
    unlike = [what for what, verdict in tried.items() if deployed[what] is not verdict]
    wrong = [what for what, verdict in tried.items() if verdict in (Verdict.DIFFERS, Verdict.NOT_TRIED)]
    told = (
        f"{len(tried)} checks of the REST contract, {len(unlike)} answered otherwise in production, {len(wrong)} fail"
    )
    return Measured(told, Outcome.of(not unlike and not wrong))


def _asked(url: str) -> dict[str, Verdict]:
    return {finding.what: finding.verdict for finding in Compatibility(url).run()}
