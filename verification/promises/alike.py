"""Development, tests and production run the same code and servers."""

import asyncio

from verification.compat.check import Compatibility
from verification.compat.result import Verdict
from verification.promises.stack import Measured, Outcome, Stack


async def prove(stack: Stack) -> Measured:
    """Run the same checks on a development server and on one with production settings, and compare the results."""
    tried, deployed = [await asyncio.to_thread(_asked, url) for url in (stack.first, stack.production)]
    unlike = [what for what, verdict in tried.items() if deployed[what] is not verdict]
    wrong = [what for what, verdict in tried.items() if verdict in (Verdict.DIFFERS, Verdict.NOT_TRIED)]
    value = f"{len(tried)} checks of the REST contract: {len(unlike)} differ in production, {len(wrong)} fail"
    return Measured(value, Outcome.of(not unlike and not wrong))


def _asked(url: str) -> dict[str, Verdict]:
    return {finding.what: finding.verdict for finding in Compatibility(url).run()}
