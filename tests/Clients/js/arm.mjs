// @azure/arm-machinelearning: workspaces, computes, datastores, assets, jobs; lists in pages; mistakes.
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { AzureMachineLearningWorkspaces } from "@azure/arm-machinelearning";
import { DefaultAzureCredential } from "@azure/identity";
import { all, found, PLACE, refused, RUN, run, SUBSCRIPTION, WORKSPACE } from "./shared.mjs";

const HOST = process.env.AZURE_AUTHORITY_HOST;
const client = new AzureMachineLearningWorkspaces(new DefaultAzureCredential(), SUBSCRIPTION, HOST ? { endpoint: HOST, credentialScopes: [`${HOST}/.default`] } : {});
const behaves = (...operations) => found("@azure/arm-machinelearning", "behaves", ...operations);
const names = items => items.map(item => item.name);
const IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04";
const ENVIRONMENT = `js-environment-${RUN}`;

async function workspaces() {
  const workspace = await client.workspaces.get(...PLACE);
  assert.equal(workspace.id.toLowerCase(), WORKSPACE.toLowerCase());
  assert.equal(workspace.provisioningState, "Succeeded");
  assert.ok(workspace.storageAccount && workspace.discoveryUrl.startsWith("https://"));
  assert.ok(names(await all(client.workspaces.listBySubscription())).includes(PLACE[1]));
  assert.ok(names(await all(client.workspaces.listByResourceGroup(PLACE[0]))).includes(PLACE[1]));
  const keys = await client.workspaces.listKeys(...PLACE);
  assert.ok(keys.userStorageKey.length > 40);
  behaves("workspaces.get", "workspaces.listBySubscription", "workspaces.listByResourceGroup", "workspaces.listKeys");
  await refused(404, "ResourceNotFound", () => client.workspaces.get(PLACE[0], "absent"), "absent");
}

async function computes() {
  const name = `js-${RUN}`;
  const made = await client.computeOperations.beginCreateOrUpdateAndWait(...PLACE, name, {
    location: "local",
    properties: { computeType: "AmlCompute", properties: { vmSize: "Standard_DS3_v2", scaleSettings: { maxNodeCount: 1, minNodeCount: 0, nodeIdleTimeBeforeScaleDown: "PT120S" } } },
  });
  assert.equal(made.properties.provisioningState, "Succeeded");
  assert.equal((await client.computeOperations.get(...PLACE, name)).properties.computeType, "AmlCompute");
  const listed = names(await all(client.computeOperations.list(...PLACE)));
  assert.ok(listed.includes(name) && listed.includes("cpu-cluster"), listed);
  assert.ok((await client.virtualMachineSizes.list("local")).value.every(size => size.name && size.vCPUs > 0));
  await client.computeOperations.beginDeleteAndWait(...PLACE, name, "Delete");
  await refused(404, "ResourceNotFound", () => client.computeOperations.get(...PLACE, name));
  behaves("computeOperations.beginCreateOrUpdate", "computeOperations.get", "computeOperations.list", "computeOperations.beginDelete", "virtualMachineSizes.list");
}

async function datastores() {
  const [first] = await all(client.datastores.list(...PLACE, { isDefault: true }));
  assert.equal(first.name, "workspaceblobstore");
  assert.equal(first.properties.datastoreType, "AzureBlob");
  const secrets = await client.datastores.listSecrets(...PLACE, "workspaceblobstore");
  assert.equal(secrets.secretsType, "AccountKey");
  const name = `js_${RUN}`;
  const put = await client.datastores.createOrUpdate(...PLACE, name, {
    properties: {
      datastoreType: "AzureBlob", accountName: first.properties.accountName, containerName: first.properties.containerName, description: "mine",
      credentials: { credentialsType: "AccountKey", secrets: { secretsType: "AccountKey", key: secrets.key } },
    },
  }, { skipValidation: true });
  assert.equal(put.properties.description, "mine");
  assert.equal(put.properties.credentials.secrets, undefined);
  assert.equal((await client.datastores.get(...PLACE, name)).properties.containerName, first.properties.containerName);
  assert.ok(names(await all(client.datastores.list(...PLACE, { count: 1 }))).includes(name));
  await client.datastores.delete(...PLACE, name);
  await refused(404, "ResourceNotFound", () => client.datastores.get(...PLACE, name));
  behaves("datastores.list", "datastores.get", "datastores.createOrUpdate", "datastores.listSecrets", "datastores.delete");
}

async function asset(kind, container, version, name = `js-${kind}-${RUN}`) {
  const [containers, versions] = [client[`${kind}Containers`], client[`${kind}Versions`]];
  const made = await containers.createOrUpdate(...PLACE, name, { properties: container });
  assert.equal(made.name, name);
  for (const number of ["1", "2", "3"]) {
    const put = await versions.createOrUpdate(...PLACE, name, number, { properties: version(number) });
    assert.equal(put.id.split("/").at(-1), number);
    assert.ok(put.systemData.createdAt instanceof Date);
  }
  assert.deepEqual((await versions.get(...PLACE, name, "2")).properties.tags, { number: "2" });
  // Newest first, and one at a time: the iterator follows nextLink.
  const pages = [];
  for await (const page of versions.list(...PLACE, name, { top: 2 }).byPage()) pages.push(names(page));
  assert.deepEqual(pages.flat().sort(), ["1", "2", "3"]);
  assert.ok(pages.length > 1, JSON.stringify(pages));
  assert.ok(names(await all(containers.list(...PLACE))).includes(name));
  assert.equal((await containers.get(...PLACE, name)).name, name);
  await versions.delete(...PLACE, name, "3");
  await refused(404, "ResourceNotFound", () => versions.get(...PLACE, name, "3"));
  behaves(...["createOrUpdate", "get", "list"].map(verb => `${kind}Containers.${verb}`), ...["createOrUpdate", "get", "list", "delete"].map(verb => `${kind}Versions.${verb}`));
}

async function assets() {
  const { accountName, containerName } = (await client.datastores.get(...PLACE, "workspaceblobstore")).properties;
  const tagged = number => ({ tags: { number } });
  await asset("data", { dataType: "uri_folder" }, number => ({ ...tagged(number), dataType: "uri_folder", dataUri: "azureml://datastores/workspaceblobstore/paths/js/data/" }));
  await asset("model", {}, number => ({ ...tagged(number), modelType: "custom_model", modelUri: "azureml://datastores/workspaceblobstore/paths/js/model/" }));
  await asset("environment", {}, number => ({ ...tagged(number), image: IMAGE }), ENVIRONMENT);
  await asset("code", {}, number => ({ ...tagged(number), codeUri: `https://${accountName}.blob.core.windows.net/${containerName}/js/code-${number}` }));
  await asset("component", {}, number => ({
    ...tagged(number),
    componentSpec: {
      $schema: "https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json", name: `js-component-${RUN}`, version: number, type: "command",
      command: "echo ${{inputs.x}}", environment: `azureml:${IMAGE}`, inputs: { x: { type: "string" } }, is_deterministic: true,
    },
  }));
}

async function ended(name) {
  for (const until = Date.now() + 60_000; Date.now() < until; await delay(100)) {
    const job = await client.jobs.get(...PLACE, name);
    if (["Completed", "Failed", "Canceled"].includes(job.properties.status)) return job;
  }
  assert.fail(`${name} did not end`);
}

const command = (text, more = {}) => ({
  properties: { jobType: "Command", command: text, environmentId: `${WORKSPACE}/environments/${ENVIRONMENT}/versions/1`, computeId: `${WORKSPACE}/computes/cpu-cluster`, tags: { run: RUN }, ...more },
});

async function jobs() {
  const name = `js-job-${RUN}`;
  const made = await client.jobs.createOrUpdate(...PLACE, name, command("echo ${{inputs.word}} > outputs/word.txt", { displayName: "from JavaScript", inputs: { word: { jobInputType: "literal", value: "hello" } } }));
  assert.equal(made.properties.displayName, "from JavaScript");
  assert.ok(made.properties.services.Studio.endpoint.startsWith("https://"));
  const done = await ended(name);
  assert.equal(done.properties.status, "Completed");
  assert.equal(done.properties.outputs.default.jobOutputType, "uri_folder");
  const long = `js-long-${RUN}`;
  await client.jobs.createOrUpdate(...PLACE, long, command("sleep 100"));
  await client.jobs.beginCancelAndWait(...PLACE, long);
  assert.equal((await ended(long)).properties.status, "Canceled");
  assert.deepEqual(names(await all(client.jobs.list(...PLACE, { tag: `run=${RUN}` }))).sort(), [name, long].sort());
  assert.ok(names(await all(client.jobs.list(...PLACE, { jobType: "Command", listViewType: "ActiveOnly" }))).includes(name));
  behaves("jobs.createOrUpdate", "jobs.get", "jobs.list", "jobs.beginCancel");
}

async function deleted_job() {
  const name = `js-long-${RUN}`;
  await client.jobs.beginDeleteAndWait(...PLACE, name);
  await refused(404, "ResourceNotFound", () => client.jobs.get(...PLACE, name));
  behaves("jobs.beginDelete");
}

async function mistakes() {
  await refused(400, "ComputeNotFound", () => client.jobs.createOrUpdate(...PLACE, `js-bad-${RUN}`, command("true", { computeId: `${WORKSPACE}/computes/nowhere` })), "nowhere");
  await refused(400, "ValidationError", () => client.jobs.createOrUpdate(...PLACE, "bad name!", command("true")), "bad name!");
  await refused(404, "ResourceNotFound", () => client.jobs.get("absent", "absent", "absent"));
  await refused(404, "ResourceNotFound", () => client.jobs.beginCancelAndWait(...PLACE, "absent"));
  assert.deepEqual(await all(client.modelVersions.list(...PLACE, "absent")), []);
}

await run(workspaces, computes, datastores, assets, jobs, deleted_job, mistakes);
