"""Names that scripts import from here."""

from typing import Any

ModelInputExample = Any
PyFuncInput = Any
PyFuncOutput = Any
