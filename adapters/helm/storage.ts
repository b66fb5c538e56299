import { gunzipSync, gzipSync } from 'node:zlib';
import { AppError } from '#core/errors.ts';
import { at, isObject, type JsonObject, parseJson, stringifyJson, textAt } from '#core/json.ts';

/** One record of a release, as helm keeps it in a Secret of type helm.sh/release.v1. Values may be secret: never log or store `release`. */
export type ReleaseRecord = Readonly<{
  name: string;
  namespace: string;
  version: number;
  status: string;
  release: JsonObject /** Unpacked. */;
  bytes: number;
}>;

const MAX_RECORD_BYTES = 32 * 1024 * 1024;
const TYPE = 'helm.sh/release.v1';

/**
 * Reads one storage Secret (`data.release`: base64 of base64 of gzip of JSON; helm pkg/storage/driver/util.go), at most `maxBytes` unpacked. Throws AppError clusterAnswer
 * without content. Pure.
 */
export function readRecord(secret: JsonObject, maxBytes = MAX_RECORD_BYTES): ReleaseRecord {
  const data = textAt(secret, 'data', 'release');
  if (textAt(secret, 'type') !== TYPE || data === undefined) throw broken('it has another type or no data');
  const packed = Buffer.from(Buffer.from(data, 'base64').toString('latin1'), 'base64');
  const { release, bytes } = unpack(packed, Math.min(maxBytes, MAX_RECORD_BYTES));
  const version = at(release, 'version');
  const name = textAt(release, 'name');
  const status = textAt(release, 'info', 'status');
  if (name === undefined || status === undefined || typeof version !== 'number') throw broken('name, version or status is missing');
  return { name, namespace: textAt(release, 'namespace') ?? '', version, status, release, bytes };
}

/** True for a release that a killed helm left locked: install, upgrade and rollback refuse it. Pure. */
export function isLocked(record: Pick<ReleaseRecord, 'status'>): boolean {
  return record.status.startsWith('pending-');
}

/** The same Secret with the record marked as failed, as Flux unlocks it; send it back with its resourceVersion. Pure. */
export function asFailed(secret: JsonObject, message: string): JsonObject {
  const { release } = readRecord(secret);
  const info = at(release, 'info');
  const failed = { ...release, info: { ...(isObject(info) ? info : {}), status: 'failed', description: message } };
  const packed = gzipSync(Buffer.from(stringifyJson(failed))).toString('base64');
  const data = Buffer.from(packed, 'latin1').toString('base64');
  const labels = at(secret, 'metadata', 'labels');
  const metadata = at(secret, 'metadata');
  return {
    ...secret,
    metadata: { ...(isObject(metadata) ? metadata : {}), labels: { ...(isObject(labels) ? labels : {}), status: 'failed' } },
    data: { release: data },
  };
}

function unpack(packed: Buffer, maxBytes: number): Readonly<{ release: JsonObject; bytes: number }> {
  if (maxBytes < 1) throw broken('the records before it take up all of the room there is for them');
  try {
    const text = packed[0] === 0x1f && packed[1] === 0x8b ? gunzipSync(packed, { maxOutputLength: maxBytes }) : packed;
    const value = parseJson(text.toString('utf8'));
    if (isObject(value)) return { release: value, bytes: text.length };
  } catch {
    throw broken('it cannot be unpacked');
  }
  throw broken('it holds no object');
}

function broken(why: string): AppError {
  return new AppError('clusterAnswer', `a record of the release cannot be read: ${why}`);
}
