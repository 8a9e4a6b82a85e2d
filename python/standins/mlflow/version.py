"""The version that this package says it has."""

from . import __version__ as VERSION

__all__ = ["VERSION"]
