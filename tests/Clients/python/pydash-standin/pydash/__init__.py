"""The part of pydash that azure-ai-ml 1.4.0 imports and Debian does not package."""

from . import objects
from .objects import get, omit, set_

__all__ = ["get", "objects", "omit", "set_"]
