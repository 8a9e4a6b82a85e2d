"""Computes through the unmodified SDK: clusters and instances, their states, nodes, sizes and usages, and what is refused."""

import os
import time

from azure.ai.ml import MLClient, command
from azure.ai.ml.entities import AmlCompute, ComputeInstance, Environment, VirtualMachineCompute, VirtualMachineSshSettings
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential

import compatibility

client = MLClient(DefaultAzureCredential(), os.environ["AZURE_SUBSCRIPTION_ID"], os.environ["ZAFFRE_RESOURCE_GROUP"], os.environ["ZAFFRE_WORKSPACE"])
ENVIRONMENT = Environment(image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04")
MARK = format(time.time_ns() % 10**9, "x")
CLUSTER, INSTANCE = f"c{MARK}c", f"i{MARK}i"


def refused(words: str, call, *arguments, **named) -> None:
    try:
        call(*arguments, **named).result()
    except HttpResponseError as error:
        assert words in str(error), error
        return
    raise AssertionError(f"{words}: nothing was refused")


def cluster() -> None:
    made = client.compute.begin_create_or_update(
        AmlCompute(name=CLUSTER, size="Standard_DS2_v2", min_instances=0, max_instances=2, idle_time_before_scale_down=300, tier="low_priority")).result()
    assert (made.name, made.type, made.provisioning_state, made.size) == (CLUSTER, "amlcompute", "Succeeded", "Standard_DS2_v2"), made
    assert (made.min_instances, made.max_instances, made.idle_time_before_scale_down, made.tier) == (0, 2, 300, "low_priority"), made
    made.max_instances = 5
    assert client.compute.begin_update(made).result().max_instances == 5
    found = client.compute.get(CLUSTER)
    assert found.max_instances == 5 and found.location, found
    assert {CLUSTER, "serverless", "cpu-cluster"} <= {c.name for c in client.compute.list()}
    assert INSTANCE not in {c.name for c in client.compute.list(compute_type="amlcompute")}
    compatibility.behaves("compute.begin_create_or_update (AmlCompute)", "compute.begin_update", "compute.get", "compute.list")
    compatibility.stored_only("AmlCompute.tier, idle_time_before_scale_down")


def instance() -> None:
    made = client.compute.begin_create_or_update(ComputeInstance(name=INSTANCE, size="Standard_DS2_v2", idle_time_before_shutdown_minutes=30)).result()
    assert (made.type, made.state, made.idle_time_before_shutdown_minutes) == ("computeinstance", "Running", 30), made
    assert INSTANCE in {c.name for c in client.compute.list(compute_type="computeinstance")}
    client.compute.begin_stop(INSTANCE).result()
    stopped = client.compute.get(INSTANCE)
    assert stopped.state == "Stopped" and stopped.last_operation["operation_name"] == "Stop", stopped.last_operation
    try:
        client.jobs.create_or_update(command(command="true", environment=ENVIRONMENT, compute=INSTANCE))
        raise AssertionError("a stopped instance took a job")
    except HttpResponseError as error:
        assert "stopped" in str(error) and "ComputeStopped" in str(error), error
    client.compute.begin_start(INSTANCE).result()
    client.compute.begin_restart(INSTANCE).result()
    assert client.compute.get(INSTANCE).state == "Running"
    compatibility.behaves("compute.begin_create_or_update (ComputeInstance)", "compute.begin_start", "compute.begin_stop", "compute.begin_restart")
    compatibility.stored_only("ComputeInstance.idle_time_before_shutdown_minutes")


def nodes() -> None:
    assert list(client.compute.list_nodes(INSTANCE)) == []
    job = client.jobs.create_or_update(command(command="sleep 100", environment=ENVIRONMENT, compute=INSTANCE))
    deadline = time.time() + 60
    while not [n for n in client.compute.list_nodes(INSTANCE) if n.node_state == "running"]:
        assert time.time() < deadline, "the job's node never appeared"
    node, = client.compute.list_nodes(INSTANCE)
    run = getattr(node, "run_id", None) or getattr(node, "current_job_name", None)
    assert run == job.name, vars(node)
    refused("ComputeInUse", client.compute.begin_stop, INSTANCE)
    client.jobs.begin_cancel(job.name).result()
    while list(client.compute.list_nodes(INSTANCE)):
        assert time.time() < deadline, "the node outlived its job"
    compatibility.behaves("compute.list_nodes")


def sizes_and_usage() -> None:
    sizes = client.compute.list_sizes()
    assert "Standard_DS3_v2" in {s.name for s in sizes}, sizes
    assert client.compute.list_sizes(compute_type="ComputeInstance") and not client.compute.list_sizes(compute_type="Kubernetes")
    usage, = client.compute.list_usage()
    assert usage.limit > 0, vars(usage)
    compatibility.behaves("compute.list_sizes", "compute.list_usage")


def refusals() -> None:
    machine = VirtualMachineCompute(
        name=f"v{MARK}v", resource_id="/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v",
        ssh_settings=VirtualMachineSshSettings(admin_username="me", admin_password="secret"))
    attach = client.compute.begin_attach if hasattr(client.compute, "begin_attach") else client.compute.begin_create_or_update
    assert attach(machine).result().type.lower() == "virtualmachine"
    assert client.compute.get(machine.name).resource_id == machine.resource_id
    client.compute.begin_delete(machine.name, action="Detach").result()
    assert machine.name not in {c.name for c in client.compute.list()}
    refused("never attached", client.compute.begin_delete, CLUSTER, action="Detach")
    refused("serverless", client.compute.begin_delete, "serverless")
    refused("minNodeCount", client.compute.begin_create_or_update, AmlCompute(name=CLUSTER, min_instances=9, max_instances=2))
    compatibility.behaves("compute.begin_attach", "compute.begin_delete (Detach)")


def delete() -> None:
    for name in (CLUSTER, INSTANCE):
        client.compute.begin_delete(name).result()
        try:
            client.compute.get(name)
            raise AssertionError("a deleted compute was found")
        except ResourceNotFoundError:
            pass
    compatibility.behaves("compute.begin_delete")


for step in (cluster, instance, nodes, sizes_and_usage, refusals, delete):
    step()
    print("\nok", step.__name__, flush=True)
