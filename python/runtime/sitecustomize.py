"""Runs at the start of every Python of a task: puts Zaffre's stand-ins last in line.

Only this folder is on PYTHONPATH, and it holds nothing else to import. A ``sitecustomize`` that the environment has itself
runs first, as it would without us; the stand-ins are appended to the end of ``sys.path``, so a real package always wins.
"""

import importlib.machinery
import importlib.util
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


def _chain() -> None:
    others = [entry for entry in sys.path if os.path.abspath(entry or os.getcwd()) != _HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


def _append_stand_ins() -> None:
    stand_ins = os.path.join(os.path.dirname(_HERE), "standins")
    if os.path.isdir(stand_ins) and stand_ins not in sys.path:
        sys.path.append(stand_ins)


def _own_packages_first() -> None:
    # A task has a Python of its own over the one of its environment. Programs that name the one below (by path, or in
    # their first line) find what the task installed too; a virtual environment that the command makes itself does not.
    own = os.environ.get("ZAFFRE_PYTHON")
    below = os.environ.get("ZAFFRE_PYTHON_BELOW")
    if not own or sys.prefix == own or sys.prefix not in (sys.base_prefix, below):
        return
    if sys.prefix == below:
        os.environ.setdefault("PIP_PREFIX", own)
    packages = os.path.join(own, "lib", "python%d.%d" % sys.version_info[:2], "site-packages")
    system = [at for at, entry in enumerate(sys.path) if entry.endswith(("site-packages", "dist-packages"))]
    sys.path.insert(system[0] if system else len(sys.path), packages)


_own_packages_first()
_append_stand_ins()
_chain()
