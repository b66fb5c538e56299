import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Json } from '#core/json.ts';
import type { Manifest } from '#core/ports.ts';
import type { BuiltObject } from './objects.ts';
import { refuse } from './refusal.ts';
import type { Answer, Task } from './tasks.ts';
import { doTask } from './tasks.ts';
import { YamlError } from './yaml.ts';

/** Text that is read here, between two turns of the event loop: about 20 ms of work. Longer single texts and long lists go to a worker thread (40 ms to start). */
const SLICE_BYTES = 16 * 1024;
const LIST_BYTES = 96 * 1024;
const WORKER_TIMEOUT_MS = 30_000;
const WORKER_HEAP_MB = 1_024;

/** Documents of a YAML text; keys must be unique. Throws YamlError. */
export async function parseYaml(text: string, maxBytes: number, signal: AbortSignal): Promise<readonly Json[]> {
  const task: Task = { do: 'yaml', text, maxBytes };
  const answer = text.length <= SLICE_BYTES ? doTask(task) : await inWorker(task, signal);
  if (answer.is === 'yaml') return answer.documents;
  throw unexpected(answer);
}

/** The objects of kustomize's documents. Throws buildFailed. */
export async function readDocuments(texts: readonly string[], signal: AbortSignal): Promise<readonly BuiltObject[]> {
  const built: BuiltObject[] = [];
  if (isLong(texts)) return builtOf(await inWorker({ do: 'read', texts }, signal));
  for (const part of slices(texts, (text) => text.length)) {
    built.push(...builtOf(doTask({ do: 'read', texts: part })));
    await setImmediate(undefined, { signal });
  }
  return built;
}

/** The objects with their variables replaced. Throws buildFailed. */
export async function substituteAll(
  built: readonly BuiltObject[],
  variables: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<readonly Manifest[]> {
  const pairs = [...variables];
  const textOf = (one: BuiltObject): string => one.text ?? '';
  if (isLong(built.map(textOf))) return objectsOf(await inWorker({ do: 'substitute', built, variables: pairs }, signal));
  const objects: Manifest[] = [];
  for (const part of slices(built, (one) => textOf(one).length)) {
    objects.push(...objectsOf(doTask({ do: 'substitute', built: part, variables: pairs })));
    await setImmediate(undefined, { signal });
  }
  return objects;
}

function isLong(texts: readonly string[]): boolean {
  return texts.some((text) => text.length > SLICE_BYTES) || texts.reduce((sum, text) => sum + text.length, 0) > LIST_BYTES;
}

function* slices<T>(items: readonly T[], lengthOf: (item: T) => number): Generator<readonly T[]> {
  let part: T[] = [];
  let length = 0;
  for (const item of items) {
    part.push(item);
    length += lengthOf(item);
    if (length < SLICE_BYTES) continue;
    yield part;
    part = [];
    length = 0;
  }
  if (part.length > 0) yield part;
}

function builtOf(answer: Answer): readonly BuiltObject[] {
  if (answer.is === 'built') return answer.built;
  throw unexpected(answer);
}

function objectsOf(answer: Answer): readonly Manifest[] {
  if (answer.is === 'objects') return answer.objects;
  throw unexpected(answer);
}

function unexpected(answer: Answer): Error {
  if (answer.is === 'refused') return refuse(answer.message);
  if (answer.is === 'notYaml') return new YamlError(answer.message);
  return new Error(`the worker answered ${answer.is}`);
}

/** One thread per task, ended with it: nothing of one tenant's stays for the next. */
async function inWorker(task: Task, signal: AbortSignal): Promise<Answer> {
  signal.throwIfAborted();
  const worker = new Worker(new URL('tasks-worker.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP_MB },
    env: {},
    argv: [],
    execArgv: [],
  });
  try {
    return await answerOf(worker, task, signal);
  } finally {
    await worker.terminate();
  }
}

function answerOf(worker: Worker, task: Task, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(refuse(`reading the YAML took longer than ${WORKER_TIMEOUT_MS} ms, the limit`)),
      WORKER_TIMEOUT_MS,
    );
    const onAbort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    signal.addEventListener('abort', onAbort, { once: true });
    worker.once('message', (answer: Answer) => resolve(answer));
    worker.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'ERR_WORKER_OUT_OF_MEMORY'
          ? refuse(`reading the YAML took more than ${WORKER_HEAP_MB} MiB of memory, the limit`)
          : error,
      ),
    );
    worker.once('exit', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      reject(new Error('the YAML worker ended without an answer'));
    });
    worker.postMessage(task);
  });
}
