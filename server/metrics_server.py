"""The listener for Prometheus, beside the server and for all of its processes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from observability import metrics_server
from observability.metrics_files import MetricsFolder
from server.errors import CommandError
from server.settings import Settings


@contextmanager
def serve_metrics(settings: Settings) -> Iterator[Settings]:
    """Answer scrapes inside the block, if the settings name a port; with the settings for the server to run with.

    Raises:
        CommandError: the port is taken or the address is not ours.
    """
    if not settings.metrics_port:
        yield settings
        return
    with TemporaryDirectory(prefix="taskriver-") as folder:
        try:
            stop = metrics_server.listen(settings.metrics_host, settings.metrics_port, MetricsFolder(Path(folder)).read)
        except OSError as error:
            place = f"{settings.metrics_host}:{settings.metrics_port}"
            raise CommandError(f"Metrics cannot be offered on {place}: {error.strerror or error}.") from error
        os.environ["METRICS_FOLDER"] = folder  # for processes that this one starts
        try:
            yield settings.model_copy(update={"metrics_folder": Path(folder)})
        finally:
            del os.environ["METRICS_FOLDER"]
            stop()
