"""The resumable client for the npm package graphql-ws, in node; `make examples` installs it and runs this."""

import asyncio
import json
from pathlib import Path

from tests.examples.promises import LONGEST_PAUSE, SILENCE, WATCH, Listener, Promises

PROGRAM = Path(__file__).parent / "listener.mjs"


class NodeListener(Listener):
    """A node process; it requests tokens and reports what it receives, one line each."""

    async def listen(self) -> None:
        """Until cancelled, or until coming back would not help."""
        options: dict[str, object] = {"url": self.stage.url, "query": WATCH, "after": self.after}
        options |= {"silence": SILENCE * 1000, "longestPause": LONGEST_PAUSE * 1000}
        node = await asyncio.create_subprocess_exec(
            "node", PROGRAM, json.dumps(options), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        try:
            await self._converse(node)
        finally:
            if node.returncode is None:
                node.kill()
            await node.wait()

    async def _converse(self, node: asyncio.subprocess.Process) -> None:
        assert node.stdin is not None
        assert node.stdout is not None
        async for line in node.stdout:
            message = json.loads(line)
            match message["kind"]:
                case "token":
                    node.stdin.write(f"{await self.access_token(message['refresh'])}\n".encode())
                case "item":
                    self.received.append(message["to"])
                case "resync":
                    self.resyncs.append(message["reason"])
                    node.stdin.write(f"{self.lists or ''}\n".encode())
                case "failed":
                    raise RuntimeError(message["why"])


class TestNode(Promises):
    """`resumable.mjs`."""

    listener = NodeListener
