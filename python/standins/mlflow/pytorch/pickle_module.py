"""What pickles PyTorch models: cloudpickle for writing, so that classes of a script go along, pickle for reading."""

from pickle import Unpickler, load, loads  # noqa: F401

try:
    from cloudpickle import CloudPickler as Pickler
    from cloudpickle import dump, dumps
except ImportError:
    from pickle import Pickler, dump, dumps  # type: ignore[assignment]

__all__ = ["Pickler", "Unpickler", "dump", "dumps", "load", "loads"]
