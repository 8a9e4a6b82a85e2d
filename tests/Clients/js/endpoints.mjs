// @azure/arm-machinelearning and @azure/storage-blob together: code and model go up as blobs, and are served behind an endpoint.
import assert from "node:assert/strict";
import { AzureMachineLearningWorkspaces } from "@azure/arm-machinelearning";
import { DefaultAzureCredential } from "@azure/identity";
import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { all, found, PLACE, refused, RUN, run, SUBSCRIPTION, WORKSPACE } from "./shared.mjs";

const client = new AzureMachineLearningWorkspaces(new DefaultAzureCredential(), SUBSCRIPTION);
const behaves = (...operations) => found("@azure/arm-machinelearning", "behaves", ...operations);
const ENDPOINT = `js-endpoint-${RUN}`;
const IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04";
const SCORE = `
import os
def init():
    global factor
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model", "factor.txt")) as file:
        factor = int(file.read())
    print("the factor is", factor)
def run(raw_data):
    return {"answer": factor * int(raw_data)}
`;

async function invoke(key, body, deployment) {
  const { scoringUri } = (await client.onlineEndpoints.get(...PLACE, ENDPOINT)).properties;
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json", ...(deployment ? { "azureml-model-deployment": deployment } : {}) };
  const answer = await fetch(scoringUri, { method: "POST", body, headers });
  return { status: answer.status, body: await answer.text() };
}

async function assets() {
  const { accountName, containerName } = (await client.datastores.get(...PLACE, "workspaceblobstore")).properties;
  const { key } = await client.datastores.listSecrets(...PLACE, "workspaceblobstore");
  const url = `https://${accountName}.blob.core.windows.net`;
  const container = new BlobServiceClient(url, new StorageSharedKeyCredential(accountName, key)).getContainerClient(containerName);
  await container.uploadBlockBlob(`${ENDPOINT}/code/score.py`, SCORE, SCORE.length);
  await container.uploadBlockBlob(`${ENDPOINT}/model/factor.txt`, "6", 1);
  await client.codeVersions.createOrUpdate(...PLACE, ENDPOINT, "1", { properties: { codeUri: `${url}/${containerName}/${ENDPOINT}/code` } });
  await client.modelVersions.createOrUpdate(...PLACE, ENDPOINT, "1", { properties: { modelType: "custom_model", modelUri: `azureml://datastores/workspaceblobstore/paths/${ENDPOINT}/model` } });
  await client.environmentVersions.createOrUpdate(...PLACE, ENDPOINT, "1", { properties: { image: IMAGE } });
}

const deployment = () => ({
  location: "local",
  sku: { name: "Default", capacity: 1 },
  properties: {
    endpointComputeType: "Managed", instanceType: "Standard_DS3_v2",
    model: `${WORKSPACE}/models/${ENDPOINT}/versions/1`,
    environmentId: `${WORKSPACE}/environments/${ENDPOINT}/versions/1`,
    codeConfiguration: { codeId: `${WORKSPACE}/codes/${ENDPOINT}/versions/1`, scoringScript: "score.py" },
  },
});

async function endpoint() {
  const made = await client.onlineEndpoints.beginCreateOrUpdateAndWait(...PLACE, ENDPOINT, { location: "local", tags: { a: "b" }, identity: { type: "SystemAssigned" }, properties: { authMode: "Key" } });
  assert.equal(made.properties.provisioningState, "Succeeded");
  assert.ok(made.properties.scoringUri.startsWith("https://"));
  assert.ok((await all(client.onlineEndpoints.list(...PLACE))).some(found => found.name === ENDPOINT));
  behaves("onlineEndpoints.beginCreateOrUpdate", "onlineEndpoints.get", "onlineEndpoints.list");
}

async function deploy() {
  const blue = await client.onlineDeployments.beginCreateOrUpdateAndWait(...PLACE, ENDPOINT, "blue", deployment());
  assert.equal(blue.properties.provisioningState, "Succeeded");
  assert.deepEqual((await all(client.onlineDeployments.list(...PLACE, ENDPOINT))).map(found => found.name), ["blue"]);
  assert.equal((await client.onlineDeployments.get(...PLACE, ENDPOINT, "blue")).properties.endpointComputeType, "Managed");
  const current = await client.onlineEndpoints.get(...PLACE, ENDPOINT);
  const updated = await client.onlineEndpoints.beginCreateOrUpdateAndWait(...PLACE, ENDPOINT, { ...current, properties: { ...current.properties, traffic: { blue: 100 } } });
  assert.deepEqual(updated.properties.traffic, { blue: 100 });
  behaves("onlineDeployments.beginCreateOrUpdate", "onlineDeployments.get", "onlineDeployments.list");
}

async function keys_and_scoring() {
  const { primaryKey, secondaryKey } = await client.onlineEndpoints.listKeys(...PLACE, ENDPOINT);
  assert.deepEqual(await invoke(primaryKey, "7"), { status: 200, body: '{"answer": 42}' });
  assert.equal((await invoke(secondaryKey, "7", "blue")).status, 200);
  await client.onlineEndpoints.beginRegenerateKeysAndWait(...PLACE, ENDPOINT, { keyType: "Primary" });
  assert.equal((await invoke(primaryKey, "7")).status, 403);
  assert.equal((await invoke((await client.onlineEndpoints.listKeys(...PLACE, ENDPOINT)).primaryKey, "7")).status, 200);
  const { content } = await client.onlineDeployments.getLogs(...PLACE, ENDPOINT, "blue", { tail: 100 });
  assert.ok(content.includes("the factor is 6"), content);
  behaves("onlineEndpoints.listKeys", "onlineEndpoints.beginRegenerateKeys", "onlineDeployments.getLogs");
}

async function mistakes() {
  const wrong = deployment();
  wrong.properties.codeConfiguration.codeId = `${WORKSPACE}/codes/absent/versions/1`;
  await refused(400, "ResourceNotFound", () => client.onlineDeployments.beginCreateOrUpdateAndWait(...PLACE, ENDPOINT, "green", wrong), "absent");
  await refused(404, "ResourceNotFound", () => client.onlineDeployments.beginCreateOrUpdateAndWait(...PLACE, "absent", "green", deployment()));
  await refused(404, "ResourceNotFound", () => client.onlineDeployments.getLogs(...PLACE, ENDPOINT, "green", { tail: 1 }));
}

async function remove() {
  const current = await client.onlineEndpoints.get(...PLACE, ENDPOINT);
  await client.onlineEndpoints.beginCreateOrUpdateAndWait(...PLACE, ENDPOINT, { ...current, properties: { ...current.properties, traffic: {} } });
  await client.onlineDeployments.beginDeleteAndWait(...PLACE, ENDPOINT, "blue");
  await client.onlineEndpoints.beginDeleteAndWait(...PLACE, ENDPOINT);
  await refused(404, "ResourceNotFound", () => client.onlineEndpoints.get(...PLACE, ENDPOINT));
  behaves("onlineDeployments.beginDelete", "onlineEndpoints.beginDelete");
}

await run(assets, endpoint, deploy, keys_and_scoring, mistakes, remove);
