"""The Prometheus endpoint, for all processes of a server."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from observability import prometheus
from observability.metrics_files import MetricsFolder
from server.errors import StartError
from server.settings import Settings


@contextmanager
def serve_metrics(settings: Settings) -> Iterator[Settings]:
    """Serve metrics inside the block if a port is configured; yields the settings for the server.

    Raises:
        StartError: the port is in use, or the address is not one of this machine.
    """
    if not settings.metrics_port:
        yield settings
        return
    with TemporaryDirectory(prefix="taskriver-") as folder:
        try:
            stop = prometheus.listen(settings.metrics_host, settings.metrics_port, MetricsFolder(Path(folder)).read)
        except OSError as error:
            address = f"{settings.metrics_host}:{settings.metrics_port}"
            raise StartError(f"Metrics cannot be served on {address}: {error.strerror or error}.") from error
        os.environ["METRICS_FOLDER"] = folder  # for child processes
        try:
            yield settings.model_copy(update={"metrics_folder": Path(folder)})
        finally:
            del os.environ["METRICS_FOLDER"]
            stop()
