"""Long-running operations as azure-core's ARMPolling follows them, over the server's own operations."""

import os
import sys
import time

from azure.core import PipelineClient
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RequestIdPolicy, RetryPolicy, SansIOHTTPPolicy
from azure.core.polling import LROPoller
from azure.identity import DefaultAzureCredential
from azure.mgmt.core.polling.arm_polling import ARMPolling

try:
    from azure.core.rest import HttpRequest
except ImportError:
    from azure.core.pipeline.transport import HttpRequest

base = os.environ["ARM_CLOUD_METADATA_URL"].split("metadata")[0] if "ARM_CLOUD_METADATA_URL" in os.environ else "https://management.azure.com/"
workspace = f"subscriptions/{os.environ['AZURE_SUBSCRIPTION_ID']}/resourceGroups/zaffre/providers/Microsoft.MachineLearningServices/workspaces/main"
sent = []


class Record(SansIOHTTPPolicy):
    def on_request(self, request):
        sent.append((request.http_request.method, request.http_request.url))


client = PipelineClient(base, policies=[RequestIdPolicy(), RetryPolicy(), BearerTokenCredentialPolicy(DefaultAzureCredential(), base.rstrip("/") + "/.default"), Record()])
scope_of = f"{base}{workspace}"
name = f"lro-{sys.argv[1]}"


def run(method, path, body=None, **options):
    """The final answer, and how many requests it took."""
    sent.clear()
    request = HttpRequest(method, f"{scope_of}{path}?api-version=2023-08-01-preview", json=body) if body else HttpRequest(method, f"{scope_of}{path}?api-version=2023-08-01-preview")
    initial = client._pipeline.run(request)
    if initial.http_response.status_code >= 400:
        raise HttpResponseError(response=initial.http_response)
    began = time.monotonic()
    poller = LROPoller(client, initial, lambda response: response.http_response, ARMPolling(30, **options))
    final = poller.result()
    assert time.monotonic() - began < 10, "the poller slept its default of 30 s"
    assert all(url.startswith(base) for _, url in sent), sent
    return final, len(sent)


def at_once() -> None:
    body = {"properties": {"authType": "PAT", "category": "Git", "target": "https://example.org/repository", "credentials": {"pat": "a token"}}}
    final, requests = run("PUT", f"/connections/{name}", body)
    assert final.status_code == 200 and requests == 1, sent
    run("DELETE", f"/connections/{name}")


def by_status() -> None:
    final, requests = run("PUT", f"/computes/{name}", {"location": "local", "properties": {"computeType": "ComputeInstance", "properties": {"vmSize": "STANDARD_DS3_V2"}}})
    assert requests >= 3 and "mfeOperationsStatus" in sent[1][1] and sent[-1][1].split("?")[0].endswith(f"/computes/{name}"), sent
    final, requests = run("POST", f"/computes/{name}/stop")
    assert requests >= 2 and any("mfeOperationsStatus" in url for _, url in sent), sent


def by_result() -> None:
    final, requests = run("POST", f"/computes/{name}/start", lro_options={"final-state-via": "location"})
    # A result without a body: 204.
    assert final is None and "mfeOperationResults" in sent[-1][1], (final, sent)


def refused() -> None:
    for path, code in ((f"/computes/absent-{name}/stop", "ResourceNotFound"), ("/provisionManagedNetwork", "OperationNotSupported")):
        try:
            run("POST", path)
            raise AssertionError(path)
        except HttpResponseError as error:
            assert code in str(error) or code in error.response.text(), error
    run("DELETE", f"/computes/{name}")


for step in (at_once, by_status, by_result, refused):
    step()
    print("ok", step.__name__, flush=True)
