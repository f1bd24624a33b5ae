"""What uvicorn writes into the log, without what should not be in one."""

import logging
from copy import deepcopy
from typing import Any, Final

from uvicorn.config import LOGGING_CONFIG


class Discreet(logging.Filter):
    """Cuts query strings off, which may hold a token, and tells a client's fault without a traceback of ours."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; always keep it."""
        if isinstance(record.args, tuple):
            record.args = tuple(_without_query(each) for each in record.args)
        if record.exc_info and isinstance(record.exc_info[1], UnicodeDecodeError):
            record.exc_info = None
        return True


def _without_query(value: object) -> object:
    return value.partition("?")[0] if isinstance(value, str) and value.startswith("/") else value


def _config() -> dict[str, Any]:
    config: dict[str, Any] = deepcopy(LOGGING_CONFIG)
    config["filters"] = {"discreet": {"()": f"{__name__}.{Discreet.__name__}"}}
    for handler in config["handlers"].values():
        handler["filters"] = ["discreet"]
    return config


LOGGING: Final = _config()
"""For `uvicorn.Config(log_config=…)`; plain data, so that worker processes get it, too."""
