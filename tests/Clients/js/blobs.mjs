// @azure/storage-blob: its commonly used surface against the default datastore's account.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { AzureMachineLearningWorkspaces } from "@azure/arm-machinelearning";
import { DefaultAzureCredential } from "@azure/identity";
import {
  AccountSASPermissions, AccountSASResourceTypes, AccountSASServices, AnonymousCredential, BlobClient, BlobSASPermissions, BlobServiceClient,
  BlockBlobClient, ContainerClient, ContainerSASPermissions, generateAccountSASQueryParameters, generateBlobSASQueryParameters, StorageSharedKeyCredential,
} from "@azure/storage-blob";
import { all, found, PLACE, refused, RUN, run, SUBSCRIPTION } from "./shared.mjs";

const arm = new AzureMachineLearningWorkspaces(new DefaultAzureCredential(), SUBSCRIPTION);
const { accountName: ACCOUNT } = (await arm.datastores.get(...PLACE, "workspaceblobstore")).properties;
const { key: KEY } = await arm.datastores.listSecrets(...PLACE, "workspaceblobstore");
const URL_ = `https://${ACCOUNT}.blob.core.windows.net`;
const credential = new StorageSharedKeyCredential(ACCOUNT, KEY);
const service = new BlobServiceClient(URL_, credential);
const container = service.getContainerClient(`js-${RUN}`);
const behaves = (...operations) => found("@azure/storage-blob", "behaves", ...operations);
const md5 = bytes => createHash("md5").update(bytes).digest();
const text = async answer => (await new Response(Readable.toWeb(answer.readableStreamBody)).text());
const soon = () => new Date(Date.now() + 600_000);

async function containers() {
  const made = await container.create({ metadata: { k: "v" } });
  assert.ok(made.etag && made.requestId && made.version && made.date);
  assert.equal((await container.createIfNotExists()).succeeded, false);
  const properties = await container.getProperties();
  assert.deepEqual(properties.metadata, { k: "v" });
  await container.setMetadata({ k2: "v2" });
  assert.deepEqual((await container.getProperties()).metadata, { k2: "v2" });
  assert.equal(await container.exists(), true);
  assert.equal(await service.getContainerClient("js-absent").exists(), false);
  const listed = await all(service.listContainers({ prefix: "js-", includeMetadata: true }));
  assert.deepEqual(listed.find(item => item.name === container.containerName).metadata, { k2: "v2" });
  assert.equal((await service.getAccountInfo()).accountKind, "StorageV2");
  await service.getProperties();
  behaves("container.create", "container.getProperties", "container.setMetadata", "container.exists", "service.listContainers", "service.getAccountInfo", "service.getProperties");
}

async function small() {
  const name = "folder/small ü+%25#?.txt";
  const blob = container.getBlockBlobClient(name);
  const put = await blob.upload("hello world", 11, { blobHTTPHeaders: { blobContentType: "text/plain", blobCacheControl: "no-cache", blobContentLanguage: "en", blobContentDisposition: "inline" }, metadata: { a: "1" } });
  assert.ok(put.etag && put.contentMD5);
  const properties = await blob.getProperties();
  assert.equal(properties.contentLength, 11);
  assert.deepEqual([properties.contentType, properties.cacheControl, properties.contentLanguage, properties.contentDisposition, properties.blobType], ["text/plain", "no-cache", "en", "inline", "BlockBlob"]);
  assert.deepEqual(Buffer.from(properties.contentMD5), md5("hello world"));
  assert.equal(await text(await blob.download()), "hello world");
  const range = await blob.download(6, 3, { rangeGetContentMD5: true });
  assert.equal(await text(range), "wor");
  assert.deepEqual(Buffer.from(range.contentMD5), md5("wor"));
  assert.equal((await blob.downloadToBuffer()).toString(), "hello world");
  await blob.setMetadata({ b: "2" });
  await blob.setHTTPHeaders({ blobContentType: "text/css" });
  const changed = await blob.getProperties();
  assert.deepEqual([changed.metadata, changed.contentType, changed.cacheControl], [{ b: "2" }, "text/css", undefined]);
  assert.equal(await container.getBlobClient("absent").exists(), false);
  await container.getBlockBlobClient("empty").upload("", 0);
  assert.equal((await container.getBlobClient("empty").downloadToBuffer()).length, 0);
  behaves("blob.upload", "blob.download", "blob.downloadToBuffer", "blob.getProperties", "blob.setMetadata", "blob.setHTTPHeaders", "blob.exists");
}

async function large() {
  const folder = mkdtempSync(join(tmpdir(), "zaffre-js-"));
  try {
    const bytes = randomBytes(70 * 1024 * 1024 + 3);
    const file = join(folder, "large");
    writeFileSync(file, bytes);
    const blob = container.getBlockBlobClient("large/file");
    await blob.uploadFile(file, { blockSize: 4 * 1024 * 1024, concurrency: 8, maxSingleShotSize: 0, metadata: { m: "1" } });
    assert.equal((await blob.getBlockList("all")).committedBlocks.length, 18);
    const down = join(folder, "down");
    await blob.downloadToFile(down);
    assert.ok(readFileSync(down).equals(bytes));
    assert.ok((await blob.downloadToBuffer(undefined, undefined, { blockSize: 8 * 1024 * 1024, concurrency: 8 })).equals(bytes));
    const streamed = container.getBlockBlobClient("large/stream");
    await streamed.uploadStream(Readable.from((function* () { for (let at = 0; at < bytes.length; at += 1_000_003) yield bytes.subarray(at, at + 1_000_003); })()), 8 * 1024 * 1024, 4);
    assert.equal((await streamed.getProperties()).contentLength, bytes.length);
    assert.ok((await streamed.downloadToBuffer(60_000_000, 1_000_000)).equals(bytes.subarray(60_000_000, 61_000_000)));
    await streamed.delete();
    await blob.delete();
    behaves("blob.uploadFile", "blob.uploadStream", "blob.downloadToFile", "blob.getBlockList", "blob.delete");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function blocks() {
  const blob = container.getBlockBlobClient("blocks");
  const id = word => Buffer.from(word).toString("base64");
  await blob.stageBlock(id("a"), "one", 3, { transactionalContentMD5: md5("one") });
  await blob.stageBlock(id("b"), "two", 3);
  assert.equal((await blob.getBlockList("uncommitted")).uncommittedBlocks.length, 2);
  await blob.commitBlockList([id("b"), id("a")], { metadata: { order: "swapped" } });
  assert.equal((await blob.downloadToBuffer()).toString(), "twoone");
  await refused(400, "InvalidBlockList", () => blob.commitBlockList([id("z")]));
  await refused(400, "Md5Mismatch", () => blob.stageBlock(id("c"), "three", 5, { transactionalContentMD5: md5("four") }));
  behaves("blob.stageBlock", "blob.commitBlockList");
}

async function append() {
  const log = container.getAppendBlobClient("log");
  await log.create({ metadata: { kind: "log" } });
  assert.equal((await log.createIfNotExists()).succeeded, false);
  await log.appendBlock("one\n", 4);
  const second = await log.appendBlock("two\n", 4, { conditions: { appendPosition: 4 } });
  assert.equal(second.blobAppendOffset, "4");
  await refused(412, "AppendPositionConditionNotMet", () => log.appendBlock("x", 1, { conditions: { appendPosition: 0 } }));
  await refused(412, "MaxBlobSizeConditionNotMet", () => log.appendBlock("x", 1, { conditions: { maxSize: 8 } }));
  assert.equal((await log.downloadToBuffer()).toString(), "one\ntwo\n");
  assert.equal((await log.getProperties()).blobType, "AppendBlob");
  behaves("appendBlob.create", "appendBlob.appendBlock");
}

async function listing() {
  const names = ["list/a/1", "list/a/2", "list/b/1", "list/b/c/1", "list/top", "list/ü&<>"].sort();
  for (const name of names) await container.getBlockBlobClient(name).upload(name, Buffer.byteLength(name), { metadata: { n: "1" } });
  const flat = await all(container.listBlobsFlat({ prefix: "list/", includeMetadata: true }));
  assert.deepEqual(flat.map(item => item.name), names);
  assert.deepEqual(flat[0].metadata, { n: "1" });
  assert.ok(flat[0].properties.contentMD5 && flat[0].properties.etag && flat[0].properties.lastModified instanceof Date);
  const pages = [];
  let token;
  for await (const page of container.listBlobsFlat({ prefix: "list/" }).byPage({ maxPageSize: 4 })) {
    pages.push(page.segment.blobItems.map(item => item.name));
    token ??= page.continuationToken;
  }
  assert.deepEqual(pages.map(page => page.length), [4, 2]);
  const rest = container.listBlobsFlat({ prefix: "list/" }).byPage({ continuationToken: token, maxPageSize: 10 });
  assert.deepEqual((await rest.next()).value.segment.blobItems.map(item => item.name), names.slice(4));
  const tree = await all(container.listBlobsByHierarchy("/", { prefix: "list/" }));
  assert.deepEqual(tree.map(item => `${item.kind} ${item.name}`).sort(), ["prefix list/a/", "prefix list/b/", "blob list/top", "blob list/ü&<>"].sort());
  behaves("container.listBlobsFlat", "container.listBlobsByHierarchy");
}

async function copies() {
  const source = container.getBlockBlobClient("copy/source ü");
  await source.upload("copy me", 7, { metadata: { from: "here" }, blobHTTPHeaders: { blobContentType: "text/plain" } });
  const target = container.getBlockBlobClient("copy/target");
  const done = await (await target.beginCopyFromURL(source.url, { intervalInMs: 100 })).pollUntilDone();
  assert.equal(done.copyStatus, "success");
  assert.deepEqual((await target.getProperties()).metadata, { from: "here" });
  const permissions = BlobSASPermissions.parse("r");
  const signed = `${source.url}?${generateBlobSASQueryParameters({ containerName: container.containerName, blobName: "copy/source ü", permissions, expiresOn: soon() }, credential)}`;
  const sync = container.getBlockBlobClient("copy/sync");
  assert.equal((await sync.syncCopyFromURL(signed)).copyStatus, "success");
  assert.equal((await sync.downloadToBuffer()).toString(), "copy me");
  await sync.syncUploadFromURL(signed);
  const part = container.getBlockBlobClient("copy/part");
  const block = Buffer.from("p").toString("base64");
  await part.stageBlockFromURL(block, signed, 5, 2);
  await part.commitBlockList([block]);
  assert.equal((await part.downloadToBuffer()).toString(), "me");
  const log = container.getAppendBlobClient("copy/log");
  await log.create();
  await log.appendBlockFromURL(signed, 0, 4);
  assert.equal((await log.downloadToBuffer()).toString(), "copy");
  await refused(400, "OperationNotSupported", () => target.syncCopyFromURL("https://example.com/a"));
  behaves("blob.beginCopyFromURL", "blob.syncCopyFromURL", "blob.syncUploadFromURL", "blob.stageBlockFromURL", "appendBlob.appendBlockFromURL");
}

async function conditions() {
  const blob = container.getBlockBlobClient("conditions");
  const { etag } = await blob.upload("one", 3, { conditions: { ifNoneMatch: "*" } });
  await refused(409, "BlobAlreadyExists", () => blob.upload("two", 3, { conditions: { ifNoneMatch: "*" } }));
  await refused(412, "ConditionNotMet", () => blob.upload("two", 3, { conditions: { ifMatch: '"0x0"' } }));
  await blob.upload("two", 3, { conditions: { ifMatch: etag } });
  await refused(412, "ConditionNotMet", () => blob.download(0, undefined, { conditions: { ifMatch: etag } }));
  const now = await blob.getProperties();
  const unchanged = await blob.download(0, undefined, { conditions: { ifNoneMatch: now.etag } }).catch(error => error);
  assert.equal(unchanged.statusCode, 304);
  await refused(412, "ConditionNotMet", () => blob.delete({ conditions: { ifUnmodifiedSince: new Date(Date.now() - 86_400_000) } }));
  await blob.delete({ conditions: { ifMatch: now.etag } });
  assert.equal((await blob.deleteIfExists()).succeeded, false);
  behaves("conditional requests");
}

async function signatures() {
  await container.getBlockBlobClient("signed").upload("s", 1);
  const permissions = ContainerSASPermissions.parse("rl");
  const query = generateBlobSASQueryParameters({ containerName: container.containerName, permissions, expiresOn: soon() }, credential);
  const reader = new ContainerClient(`${container.url}?${query}`, new AnonymousCredential());
  assert.equal((await reader.getBlobClient("signed").downloadToBuffer()).toString(), "s");
  assert.ok((await all(reader.listBlobsFlat())).length > 0);
  await refused(403, "AuthorizationPermissionMismatch", () => reader.getBlobClient("signed").delete());
  const late = generateBlobSASQueryParameters({ containerName: container.containerName, permissions, startsOn: new Date(Date.now() - 900_000), expiresOn: new Date(Date.now() - 600_000) }, credential);
  await refused(403, "AuthenticationFailed", () => new ContainerClient(`${container.url}?${late}`).getBlobClient("signed").getProperties().catch(error => { throw Object.assign(error, { code: error.details.errorCode }); }));
  const account = generateAccountSASQueryParameters({
    expiresOn: soon(), permissions: AccountSASPermissions.parse("rwdlac"), resourceTypes: AccountSASResourceTypes.parse("sco").toString(), services: AccountSASServices.parse("b").toString(),
  }, credential);
  const everything = new BlobServiceClient(`${URL_}?${account}`);
  assert.ok((await all(everything.listContainers())).length > 0);
  await everything.getContainerClient(container.containerName).getBlockBlobClient("signed").upload("t", 1);
  const url = await container.getBlobClient("signed").generateSasUrl({ permissions: BlobSASPermissions.parse("r"), expiresOn: soon(), contentType: "text/x-mine" });
  const fetched = await new BlobClient(url).download();
  assert.equal(fetched.contentType, "text/x-mine");
  await refused(403, "AuthenticationFailed", () => new BlobClient(url.replace(/sig=[^&]{6}/, "sig=AAAAAA")).download());
  behaves("service SAS", "account SAS", "blob.generateSasUrl");
}

async function tokens_and_addresses() {
  const byToken = new BlobServiceClient(URL_, new DefaultAzureCredential());
  const blob = byToken.getContainerClient(container.containerName).getBlockBlobClient("token");
  await blob.upload("t", 1);
  assert.equal((await blob.downloadToBuffer()).toString(), "t");
  const connected = BlobServiceClient.fromConnectionString(`DefaultEndpointsProtocol=https;AccountName=${ACCOUNT};AccountKey=${KEY};EndpointSuffix=core.windows.net`);
  assert.equal(await connected.getContainerClient(container.containerName).exists(), true);
  const port = `${process.env.MLFLOW_TRACKING_URI}/blobz/${ACCOUNT}`;
  const path = BlobServiceClient.fromConnectionString(`DefaultEndpointsProtocol=https;AccountName=${ACCOUNT};AccountKey=${KEY};BlobEndpoint=${port};`);
  const there = path.getContainerClient(container.containerName);
  assert.ok((await all(there.listBlobsFlat())).some(item => item.name === "token"));
  const signed = generateBlobSASQueryParameters({ containerName: container.containerName, permissions: ContainerSASPermissions.parse("rcwl"), expiresOn: soon() }, credential);
  const direct = new BlockBlobClient(`${port}/${container.containerName}/path/style?${signed}`);
  await direct.upload("p", 1);
  assert.equal((await container.getBlobClient("path/style").downloadToBuffer()).toString(), "p");
  found("@azure/storage-blob", "behaves", "bearer token", "connection string", "path-style address");
}

async function refusals() {
  const blob = container.getBlockBlobClient("signed");
  const cases = {
    "blob.createSnapshot": () => blob.createSnapshot(),
    "blob.setTags": () => blob.setTags({ a: "b" }),
    "blob.setAccessTier": () => blob.setAccessTier("Cool"),
    "pageBlob.create": () => container.getPageBlobClient("page").create(512),
    "container.setAccessPolicy": () => container.setAccessPolicy(undefined, []),
    "batch.deleteBlobs": () => service.getBlobBatchClient().deleteBlobs([blob.url], credential),
    "service.getUserDelegationKey": () => new BlobServiceClient(URL_, new DefaultAzureCredential()).getUserDelegationKey(new Date(), soon()),
    "blob.query": () => blob.query("select * from BlobStorage"),
    "blob.undelete": () => blob.undelete(),
    "service.findBlobsByTags": () => all(service.findBlobsByTags("a='b'")),
    "blob.acquireLease": () => blob.getBlobLeaseClient().acquireLease(15),
  };
  for (const [name, work] of Object.entries(cases)) {
    await refused(400, "OperationNotSupported", work);
    found("@azure/storage-blob", "refused", name);
  }
}

async function mistakes() {
  await refused(404, "ContainerNotFound", () => service.getContainerClient("js-absent").getBlockBlobClient("x").upload("x", 1));
  await refused(404, "BlobNotFound", () => container.getBlobClient("absent").download());
  await refused(416, "InvalidRange", () => container.getBlobClient("signed").download(100, 1));
  await refused(400, "InvalidResourceName", () => service.getContainerClient("NO_SUCH").create());
  await refused(400, "InvalidMetadata", () => container.getBlockBlobClient("m").upload("x", 1, { metadata: { "a-b": "c" } }));
  const other = new BlobServiceClient(URL_, new StorageSharedKeyCredential(ACCOUNT, randomBytes(64).toString("base64")));
  await refused(403, "AuthenticationFailed", () => all(other.listContainers()), "signature");
  const anonymous = await new BlobClient(`${container.url}/signed`).download().catch(error => error);
  assert.equal(anonymous.statusCode, 401);
}

async function remove() {
  await container.delete();
  assert.equal(await container.exists(), false);
  assert.equal((await container.deleteIfExists()).succeeded, false);
  behaves("container.delete");
}

await run(containers, small, large, blocks, append, listing, copies, conditions, signatures, tokens_and_addresses, refusals, mistakes, remove);
