import type { BucketObject } from '#core/bucket.ts';
import { AppError } from '#core/errors.ts';
import { childrenOf, parseXml, textOf, type XmlElement } from './xml.ts';

export type Page = Readonly<{ objects: readonly BucketObject[]; next: string | null }>;

/** One page of ListObjectsV2 (Amazon S3 API reference). Throws AppError upstreamFailed for an answer that is none. Pure. */
export function parsePage(text: string): Page {
  const root = parseXml(text);
  if (root === null || root.name !== 'ListBucketResult') throw broken('is no list of objects');
  // With encoding-type=url, keys come percent-encoded; a server that does not know it says so by leaving the element out.
  const decode = textOf(root, 'EncodingType') === 'url' ? decoded : (key: string) => key;
  const objects = childrenOf(root, 'Contents').map((one) => objectOf(one, decode));
  if (textOf(root, 'IsTruncated') !== 'true') return { objects, next: null };
  const next = textOf(root, 'NextContinuationToken');
  if (next === undefined || next === '') throw broken('says that there is more, and not where');
  return { objects, next };
}

function objectOf(one: XmlElement, decode: (key: string) => string): BucketObject {
  const [key, etag, size] = [textOf(one, 'Key'), textOf(one, 'ETag'), textOf(one, 'Size')];
  if (key === undefined || etag === undefined || size === undefined || !/^[0-9]{1,15}$/.test(size))
    throw broken('names an object without key, etag or size');
  return Object.freeze({ key: decode(key), etag: plainEtag(etag), sizeBytes: Number(size) });
}

/** An etag as Flux's client shows it: without the quotes. Pure. */
export function plainEtag(text: string): string {
  return text.replace(/^"/, '').replace(/"$/, '');
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch (error) {
    throw broken('holds a key that is not encoded as it says', error);
  }
}

function broken(what: string, cause?: unknown): AppError {
  return new AppError('upstreamFailed', `the answer of the object store ${what}`, {}, { cause });
}
