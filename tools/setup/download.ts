import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { extract } from 'tar';
import type { Download, Platform } from '../binaries.ts';
import { sha256Of } from './cache.ts';
import { transfer } from './transfer.ts';

const timeoutMs = 10 * 60_000;
const defaultIdleMs = 30_000;

export type DownloadRequest = Readonly<{
  download: Download;
  platform: Platform;
  mirror: string | undefined;
  folder: string;
  name: string;
  /** Default 30 s without a byte. */
  idleMs?: number;
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
  const { maxBytes } = download;
  try {
    await transfer({ url, file, maxBytes, idleMs: request.idleMs ?? defaultIdleMs, signal: AbortSignal.timeout(timeoutMs) });
    const got = await sha256Of(file);
    if (got !== wanted) return `${url.host} sent a file with SHA-256 ${got}, pinned is ${wanted}`;
    if (download.member === null) await rename(file, join(folder, name));
    else await unpack(file, filledIn(download.member, platform), folder, name);
    return undefined;
  } catch (error) {
    return `download from ${url.host} failed: ${reasonOf(error)}`;
  } finally {
    await rm(file, { force: true });
  }
}

function urlOf({ download, platform, mirror }: DownloadRequest): URL {
  const url = new URL(filledIn(download.url, platform));
  return mirror === undefined ? url : new URL(`${mirror.replace(/\/+$/, '')}${url.pathname}`);
}

function filledIn(text: string, platform: Platform): string {
  const [os = '', arch = ''] = platform.split('-');
  return text.replaceAll('{os}', os).replaceAll('{arch}', arch);
}

/** Takes the one member out, and leaves nothing else of the archive. */
async function unpack(archive: string, member: string, folder: string, name: string): Promise<void> {
  await extract({ file: archive, cwd: folder, strict: true, filter: (path) => path === member });
  if (member === name) return;
  await rename(join(folder, member), join(folder, `${name}.unpacked`)).catch(() => {
    throw new Error(`the archive holds no ${member}`);
  });
  const [top = ''] = member.split('/');
  if (member.includes('/')) await rm(join(folder, top), { recursive: true });
  await rename(join(folder, `${name}.unpacked`), join(folder, name));
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
