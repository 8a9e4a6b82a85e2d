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


def _install_beside() -> None:
    # A virtual environment is read-only and has no user site: what a command installs goes beside it, and is found first.
    beside = os.environ.get("PYTHONUSERBASE")
    if sys.prefix == sys.base_prefix or not beside:
        return
    os.environ.pop("PIP_USER", None)
    os.environ.setdefault("PIP_PREFIX", beside)
    installed = [at for at, entry in enumerate(sys.path) if entry.startswith(sys.prefix)]
    sys.path.insert(installed[0] if installed else len(sys.path), os.path.join(beside, "lib", "python%d.%d" % sys.version_info[:2], "site-packages"))


_install_beside()
_append_stand_ins()
_chain()
