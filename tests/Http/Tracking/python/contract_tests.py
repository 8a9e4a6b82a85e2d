"""MLflow's contract, replayed against a server that listens: both generations, every mount, every operation. Run by ContractTests.cs."""

from __future__ import annotations

import unittest

from contract_base import CALLED, REFERENCE, refused_because
from contract_limits import Limits, Refusals
from contract_operations import Operations, Traces
from contract_sequences import Retries, Sequences

__all__ = ["Limits", "Operations", "Refusals", "Retries", "Sequences", "Traces", "ZZ_Everything"]


class ZZ_Everything(unittest.TestCase):
    """Runs last: no operation of the reference is forgotten."""

    def test_every_operation_was_called_or_is_refused(self) -> None:
        self.assertEqual([], sorted(route for route in REFERENCE.by_route if route not in CALLED and not refused_because(route)))


if __name__ == "__main__":
    unittest.main(verbosity=0)
