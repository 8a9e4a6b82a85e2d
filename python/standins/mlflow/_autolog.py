"""Autologging does not exist here; a script that asks for it is told so once and runs on."""

import sys
from typing import Any, Set

_warned: Set[str] = set()


def refuse(name: str) -> None:
    """Says once per name that nothing will be logged by itself."""
    if name not in _warned:
        _warned.add(name)
        print("mlflow: {}() does nothing here: this small mlflow has no autologging. Log with mlflow.log_param and mlflow.log_metric, or put the real mlflow into the environment.".format(name), file=sys.stderr)


def autolog(*args: Any, **options: Any) -> None:
    """Refused by name: nothing is logged by itself."""
    if not options.get("disable"):
        refuse("mlflow.autolog")
