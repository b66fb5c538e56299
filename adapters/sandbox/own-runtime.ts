import { open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Mount } from './types.ts';

/** This very Node with its shared libraries and loader, so that it can start where nothing else is: the only program that is sure to be at hand for a probe. */
export async function ownRuntime(): Promise<
  Readonly<{ command: string; readOnly: readonly Mount[]; env: Readonly<Record<string, string>> }>
> {
  const readOnly = await ownLibraries();
  const folders = new Set(readOnly.map(({ to }) => dirname(to)));
  return { command: process.execPath, readOnly, env: { LD_LIBRARY_PATH: [...folders].join(':') } };
}

async function ownLibraries(): Promise<readonly Mount[]> {
  const maps = await readFile('/proc/self/maps', 'utf8');
  const paths = new Set<string>();
  for (const line of maps.split('\n')) {
    const path = /\s(\/\S+\.so(?:\.[0-9.]+)?)$/.exec(line)?.[1];
    if (path !== undefined) paths.add(path);
  }
  const mounts = [...paths].flatMap((path) => namesOf(path).map((to) => ({ from: path, to })));
  const loader = await loaderOf(process.execPath);
  if (loader !== null && !paths.has(loader)) mounts.push({ from: loader, to: loader });
  return mounts;
}

/** `libx.so.6.0.30` is looked up as `libx.so.6`. */
function namesOf(path: string): readonly string[] {
  const short = /^(.*\.so\.[0-9]+)\.[0-9.]+$/.exec(path)?.[1];
  return short === undefined ? [path] : [path, short];
}

/** The path of the dynamic loader that an ELF program names: it is text that ends in a zero byte, near the start of the file. */
async function loaderOf(program: string): Promise<string | null> {
  const file = await open(program, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8192), 0, 8192, 0);
    return /(\/lib[\w./-]*\/ld-[\w.-]+)\0/.exec(buffer.subarray(0, bytesRead).toString('latin1'))?.[1] ?? null;
  } finally {
    await file.close();
  }
}
