// @azure/identity: every way to a token that needs no person, and the mistakes that people make.
// The mode is that of `zaffre exec`: through the proxy, or with AZURE_AUTHORITY_HOST.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AzureCliCredential, ClientSecretCredential, DefaultAzureCredential, EnvironmentCredential } from "@azure/identity";
import { found, run } from "./shared.mjs";

const { AZURE_TENANT_ID: TENANT, AZURE_CLIENT_ID: ID, AZURE_CLIENT_SECRET: SECRET, AZURE_AUTHORITY_HOST: HOST } = process.env;
const ARM = HOST ?? "https://management.azure.com";
const MODE = HOST ? "direct" : "proxy";

const claims = token => JSON.parse(Buffer.from(token.token.split(".")[1], "base64url"));

async function check(credential, scope = `${ARM}/.default`) {
  const token = await credential.getToken(scope);
  assert.ok(token.expiresOnTimestamp > Date.now() + 60_000);
  assert.equal(claims(token).appid, ID);
  assert.equal(claims(token).aud.replace(/\/$/, ""), scope.replace(/\/+\.default$/, ""));
  return token;
}

async function client_secret() {
  const credential = new ClientSecretCredential(TENANT, ID, SECRET);
  const token = await check(credential);
  assert.equal((await check(credential)).token, token.token, "the second token comes from the cache");
  assert.notEqual((await check(credential, "https://storage.azure.com/.default")).token, token.token);
  found("@azure/identity", "behaves", `ClientSecretCredential (${MODE})`);
}

async function default_and_environment() {
  await check(new EnvironmentCredential());
  await check(new DefaultAzureCredential());
  found("@azure/identity", "behaves", `EnvironmentCredential (${MODE})`, `DefaultAzureCredential (${MODE})`);
}

async function no_instance_discovery() {
  await check(new ClientSecretCredential(TENANT, ID, SECRET, { disableInstanceDiscovery: true, authorityHost: HOST }));
}

// As whoever is signed in to the Azure CLI.
async function azure_cli() {
  process.env.AZURE_CONFIG_DIR = mkdtempSync(join(tmpdir(), "zaffre-az-"));
  const az = (...words) => execFileSync("az", [...words, "-o", "none"], { stdio: ["ignore", "ignore", "pipe"] });
  if (HOST) az("cloud", "set", "-n", "AzureLocal");
  az("login", "--service-principal", "-u", ID, `-p=${SECRET}`, "--tenant", TENANT);
  await check(new AzureCliCredential({ processTimeoutInMs: 60_000 }));
  found("@azure/identity", "behaves", `AzureCliCredential (${MODE})`);
  az("account", "clear");
}

async function refusal(credential, scope, ...words) {
  const began = Date.now();
  const error = await credential.getToken(scope).then(() => assert.fail(`a token for ${words}`), error => error);
  for (const word of words) assert.ok(error.message.includes(word), error.message);
  assert.ok(!/\bZaffre\./.test(error.message), error.message);
  assert.ok(Date.now() - began < 10_000, `${Date.now() - began} ms`);
}

async function mistakes() {
  const scope = `${ARM}/.default`;
  const options = { disableInstanceDiscovery: true };
  await refusal(new ClientSecretCredential(TENANT, ID, "wrong"), scope, "AADSTS7000215", "Invalid client secret provided");
  await refusal(new ClientSecretCredential(TENANT, randomUUID(), SECRET), scope, "AADSTS700016", "was not found in the directory");
  await refusal(new ClientSecretCredential(TENANT, ID, SECRET), "https://graph.microsoft.com/.default", "AADSTS500011", "https://graph.microsoft.com");
  const tenant = randomUUID();
  if (HOST) {
    // The client asks an authority that it does not know what it has, and keeps the answer to itself.
    await refusal(new ClientSecretCredential(tenant, ID, SECRET, options), scope, "endpoints_resolution_error");
  } else {
    await refusal(new ClientSecretCredential(tenant, ID, SECRET, options), scope, "AADSTS90002", tenant);
    await refusal(new ClientSecretCredential(tenant, ID, SECRET), scope, tenant);
  }
}

await run(client_secret, default_and_environment, no_instance_discovery, azure_cli, mistakes);
