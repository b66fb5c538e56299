import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar';
import type { Download, Platform } from '../binaries.ts';

const timeoutMs = 10 * 60_000;

export type DownloadRequest = Readonly<{
  download: Download;
  platform: Platform;
  mirror: string | undefined;
  folder: string;
  name: string;
}>;

/**
 * Fetches a release file, compares its SHA-256 before anything of it is used, and leaves the program at `folder/name`.
 * Returns undefined, or in one text why it could not.
 */
export async function fetchRelease(request: DownloadRequest): Promise<string | undefined> {
  const { download, platform, folder, name } = request;
  const wanted = download.sha256[platform];
  if (wanted === undefined) return `no checksum is pinned for ${platform}`;
  const url = urlOf(request);
  const file = join(folder, 'download');
  try {
    const got = await fetchTo(file, url, download.maxBytes);
    if (got !== wanted) return `${url.host} sent a file with SHA-256 ${got}, pinned is ${wanted}`;
    if (download.member === null) await rename(file, join(folder, name));
    else await unpack(file, download.member, folder, name);
    return undefined;
  } catch (error) {
    return `download from ${url.host} failed: ${reasonOf(error)}`;
  } finally {
    await rm(file, { force: true });
  }
}

function urlOf({ download, platform, mirror }: DownloadRequest): URL {
  const [os = '', arch = ''] = platform.split('-');
  const url = new URL(download.url.replaceAll('{os}', os).replaceAll('{arch}', arch));
  return mirror === undefined ? url : new URL(`${mirror.replace(/\/+$/, '')}${url.pathname}`);
}

async function fetchTo(file: string, url: URL, maxBytes: number): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  if (!response.ok || response.body === null) throw new Error(`answer ${response.status}`);
  const hash = createHash('sha256');
  let bytes = 0;
  const counted = new Transform({
    transform(piece: Buffer, _encoding, done) {
      bytes += piece.length;
      hash.update(piece);
      done(bytes > maxBytes ? new Error(`more than ${maxBytes} bytes`) : null, piece);
    },
  });
  await pipeline(Readable.fromWeb(response.body), counted, createWriteStream(file));
  return hash.digest('hex');
}

async function unpack(archive: string, member: string, folder: string, name: string): Promise<void> {
  await extract({ file: archive, cwd: folder, strict: true, filter: (path) => path === member });
  if (member !== name) await rename(join(folder, member), join(folder, name));
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
