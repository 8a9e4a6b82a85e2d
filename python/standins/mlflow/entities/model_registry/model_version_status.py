"""The states of a model version."""

_NAMES = ["PENDING_REGISTRATION", "FAILED_REGISTRATION", "READY"]


class ModelVersionStatus:
    """The states of a model version, as the protocol numbers them."""

    PENDING_REGISTRATION = 1
    FAILED_REGISTRATION = 2
    READY = 3

    @staticmethod
    def to_string(status: int) -> str:
        """The name of a state."""
        return _NAMES[status - 1]

    @staticmethod
    def from_string(status: str) -> int:
        """The number of a state."""
        return _NAMES.index(status) + 1
