import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import type { Bucket, BucketLimits, BucketObject, BucketRemote, LooseFile } from '#core/bucket.ts';
import { checkFilePaths } from '#core/entry-path.ts';
import { AppError } from '#core/errors.ts';
import type { HttpAnswer } from '#core/http.ts';
import { createPlainFilter, parseIgnoreRules } from '#core/ignore-rules.ts';
import { parsePage, plainEtag } from './listing.ts';
import { type BucketHttp, type ReadOptions, read } from './requests.ts';
import { inByteOrder, revisionOf } from './revision.ts';

const IGNORE_FILE = '.sourceignore';
const MAX_IGNORE_BYTES = 1_048_576;
const MAX_PAGE_BYTES = 8_388_608;
const PARALLEL = 6;

export type BucketOptions = BucketHttp & Readonly<{ workDir: string }>;

/** S3-compatible object stores over the one egress client: two reads, signed with AWS Signature Version 4. */
export function createBucket(options: BucketOptions): Bucket {
  return Object.freeze({
    index: (remote, want, limits, signal) =>
      inTime(remote, limits, signal, async (whole) => {
        const rules = await ignoreFile(options, remote, { ...limits, to: 'buffer', signal: whole });
        const isIgnored = keyFilter(rules === null ? null : rules.body.toString('utf8'), want.ignore);
        const objects: BucketObject[] = [];
        await list(options, remote, want.prefix, limits, whole, (object) => {
          if (object.key.endsWith('/') || object.key === IGNORE_FILE || isIgnored(object.key)) return;
          objects.push(object);
          withinLimits(objects, limits);
        });
        const sorted = inByteOrder(objects);
        checkFilePaths(sorted.map(({ key }) => key));
        return { objects: sorted, revision: revisionOf(sorted) };
      }),
    fetch: (remote, objects, limits, signal) =>
      inTime(remote, limits, signal, async (whole) => {
        const folder = join(options.workDir, randomUUID());
        await mkdir(folder, { recursive: true, mode: 0o700 });
        const dispose = () => rm(folder, { recursive: true, force: true });
        try {
          const fetched = await fetchAll(options, { remote, objects, limits, folder, signal: whole });
          const rules = await ignoreFile(options, remote, { ...limits, to: { file: join(folder, 'rules') }, signal: whole });
          const files = fetched.map(({ file, key }) => ({ path: key, file }));
          if (rules !== null && rules.path !== null) files.push({ path: IGNORE_FILE, file: rules.path });
          return { files, objects: fetched, revision: revisionOf(fetched), dispose };
        } catch (error) {
          await dispose();
          throw error;
        }
      }),
  } satisfies Bucket);
}

/** One time limit for the whole operation, as upstream's. */
async function inTime<T>(
  { origin }: BucketRemote,
  { timeoutMs }: BucketLimits,
  signal: AbortSignal,
  work: (whole: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    return await work(AbortSignal.any([signal, deadline]));
  } catch (error) {
    if (!deadline.aborted || signal.aborted || error instanceof AppError) throw error;
    throw new AppError(
      'upstreamFailed',
      `the object store ${new URL(origin).host} was not done within ${timeoutMs} ms: see spec.timeout`,
      {},
      { cause: error },
    );
  }
}

function ignoreFile(
  options: BucketOptions,
  remote: BucketRemote,
  { to, timeoutMs, signal }: Pick<ReadOptions, 'to' | 'timeoutMs' | 'signal'>,
): Promise<HttpAnswer | null> {
  return read(options, remote, { key: IGNORE_FILE, query: [], to, maxBytes: MAX_IGNORE_BYTES, timeoutMs, signal });
}

/** The rules of the root's file, then those of the definition; no default list applies (fluxcd/source-controller fetchEtagIndex). */
function keyFilter(file: string | null, ignore: string | null): (key: string) => boolean {
  const rules = [file, ignore].flatMap((text) => (text === null ? [] : [...parseIgnoreRules(text, [])]));
  const isIgnored = createPlainFilter(rules);
  return (key) => isIgnored(key.split('/'), false);
}

async function list(
  options: BucketOptions,
  remote: BucketRemote,
  prefix: string,
  { timeoutMs, maxObjects }: BucketLimits,
  signal: AbortSignal,
  onObject: (object: BucketObject) => void,
): Promise<void> {
  const fixed = [
    ['list-type', '2'],
    ['encoding-type', 'url'],
    ['max-keys', '1000'],
    ...(prefix === '' ? [] : [['prefix', prefix] as const]),
  ] as const;
  const seen = new Set<string>();
  let count = 0;
  for (let next: string | null = ''; next !== null; ) {
    const query = next === '' ? fixed : [...fixed, ['continuation-token', next] as const];
    // A bucket that is missing shows here, with a code; HEAD would tell the same without one.
    const answer = await read(options, remote, {
      key: null,
      query,
      to: 'buffer',
      maxBytes: MAX_PAGE_BYTES,
      timeoutMs,
      signal,
    });
    if (answer === null) throw new AppError('notFound', `bucket '${remote.bucketName}' not found`);
    const page = parsePage(answer.body.toString('utf8'));
    // What rules leave out is read too, so it has a limit as well.
    count += page.objects.length;
    if (count > 10 * maxObjects) throw tooMany(10 * maxObjects);
    for (const object of page.objects) onObject(object);
    if (page.next !== null && (seen.has(page.next) || seen.size > maxObjects))
      throw new AppError('upstreamFailed', 'the object store lists its pages in a circle');
    if (page.next !== null) seen.add(page.next);
    next = page.next;
  }
}

function withinLimits(objects: readonly BucketObject[], { maxObjects, maxBytes }: BucketLimits): void {
  if (objects.length > maxObjects) throw tooMany(maxObjects);
  const last = objects.at(-1);
  if (last !== undefined && last.sizeBytes > maxBytes)
    throw new AppError('artifactTooLarge', `an object of the bucket is larger than ${maxBytes} bytes: leave it out with spec.ignore`);
}

function tooMany(maxObjects: number): AppError {
  return new AppError('artifactTooLarge', `the bucket has more than ${maxObjects} objects: narrow it with spec.prefix or spec.ignore`);
}

type Fetch = Readonly<{
  remote: BucketRemote;
  objects: readonly BucketObject[];
  limits: BucketLimits;
  folder: string;
  signal: AbortSignal;
}>;

/** Each into a numbered file: no key is ever a path here. An object that is gone by now is left out; one that changed has its new etag. */
async function fetchAll(
  options: BucketOptions,
  { remote, objects, limits, folder, signal }: Fetch,
): Promise<readonly (BucketObject & Pick<LooseFile, 'file'>)[]> {
  checkFilePaths(objects.map(({ key }) => key));
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  let leftBytes = limits.maxBytes;
  const one = async (object: BucketObject, number: number) => {
    const file = join(folder, String(number));
    const { key } = object;
    const answer = await read(options, remote, {
      ...limits,
      key,
      query: [],
      to: { file },
      maxBytes: Math.max(0, leftBytes),
      signal: stop,
    });
    if (answer === null) return [];
    leftBytes -= answer.sizeBytes;
    if (leftBytes < 0) throw new AppError('artifactTooLarge', `the objects of the bucket have more than ${limits.maxBytes} bytes`);
    const etag = answer.headers['etag'];
    return [{ key, file, etag: etag === undefined ? object.etag : plainEtag(etag), sizeBytes: answer.sizeBytes }];
  };
  const inTurn = pLimit(PARALLEL);
  const work = objects.map((object, number) => inTurn(() => (failed.signal.aborted ? [] : one(object, number))));
  try {
    return (await Promise.all(work)).flat();
  } catch (error) {
    failed.abort(error);
    // Nothing may still write into the folder when it is removed.
    await Promise.allSettled(work);
    throw error;
  }
}
