// What the scripts share: where the server is, which versions of the clients run, and what was found out.
import assert from "node:assert/strict";
import { appendFileSync, readFileSync } from "node:fs";

export const SUBSCRIPTION = process.env.AZURE_SUBSCRIPTION_ID;
export const PLACE = [process.env.ZAFFRE_RESOURCE_GROUP, process.env.ZAFFRE_WORKSPACE];
export const WORKSPACE = `/subscriptions/${SUBSCRIPTION}/resourceGroups/${PLACE[0]}/providers/Microsoft.MachineLearningServices/workspaces/${PLACE[1]}`;
export const RUN = Math.random().toString(36).slice(2, 8);

/** Records operations of a package as behaving, refused or not callable; call it after the assertions. */
export function found(client, verdict, ...operations) {
  const file = process.env.ZAFFRE_COMPATIBILITY;
  if (!file) return;
  const { version } = JSON.parse(readFileSync(new URL(`node_modules/${client}/package.json`, import.meta.url), "utf8"));
  appendFileSync(file, operations.map(operation => `${client} ${version}\t${operation}\t${verdict}\n`).join(""));
}

/** Runs the steps in order and says of each that it passed; the exit code tells whether all did. */
export async function run(...steps) {
  for (const step of steps) {
    try {
      await step();
      console.log("ok", step.name);
    } catch (error) {
      console.error("FAILED", step.name, error);
      process.exitCode = 1;
    }
  }
}

/** Collects an async iterator. */
export async function all(iterator) {
  const items = [];
  for await (const item of iterator) items.push(item);
  return items;
}

/** The call fails with this status and code and with these words, and does so without the client's retries. */
export async function refused(status, code, work, ...words) {
  const began = Date.now();
  const error = await work().then(value => assert.fail(`${status} ${code} was expected, not ${JSON.stringify(value)?.slice(0, 300)}`), error => error);
  assert.equal(error.statusCode, status, error);
  const actual = error.code ?? error.details?.errorCode;
  assert.equal(actual, code, error);
  for (const word of words) assert.ok(error.message.includes(word), error.message);
  assert.ok(Date.now() - began < 10_000, `${Date.now() - began} ms`);
  return error;
}
