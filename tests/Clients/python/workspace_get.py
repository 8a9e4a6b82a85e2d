"""Code as any tutorial has it: nothing in it knows of Zaffre."""

import os

from azure.ai.ml import MLClient
from azure.identity import DefaultAzureCredential

import compatibility

client = MLClient(
    DefaultAzureCredential(),
    os.environ["AZURE_SUBSCRIPTION_ID"],
    os.environ["ZAFFRE_RESOURCE_GROUP"],
    os.environ["ZAFFRE_WORKSPACE"],
)
workspace = client.workspaces.get("main")
assert workspace.name == "main", workspace
assert workspace.id.lower().endswith("/resourcegroups/zaffre/providers/microsoft.machinelearningservices/workspaces/main"), workspace.id
assert workspace.discovery_url, workspace
assert "main" in [found.name for found in client.workspaces.list()]
compatibility.behaves("workspaces.get", "workspaces.list")
print(workspace.name, workspace.resource_group)
