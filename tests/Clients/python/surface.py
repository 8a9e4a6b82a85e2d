"""The operations that a version of the SDK has, one line each, as the table of docs/compatibility.md names them."""

from unittest.mock import MagicMock

from azure.ai.ml import MLClient

import compatibility

client = MLClient(MagicMock(), "00000000-0000-0000-0000-000000000000", "group", "workspace")
print(compatibility.client())
for group in sorted(name for name in dir(MLClient) if not name.startswith("_") and isinstance(getattr(MLClient, name), property)):
    operations = getattr(client, group)
    if type(operations).__module__.startswith("azure.ai.ml.operations"):
        for operation in sorted(name for name in dir(operations) if not name.startswith("_") and callable(getattr(type(operations), name, None))):
            print(f"ok {group}.{operation}")
