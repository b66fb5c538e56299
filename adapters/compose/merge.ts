import { randomUUID } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { shown } from '#core/entry-path.ts';
import { AppError } from '#core/errors.ts';
import { isObject, type Json, type JsonObject, stringifyJson } from '#core/json.ts';
import { mergeMaps } from '#core/merge-maps.ts';
import type { Step } from './rules.ts';

const MAX_YAML_BYTES = 1_048_576;

/** A file with the YAML of `over` laid over that of `base`: maps are merged, everything else is replaced. Written as JSON, which YAML is. Throws AppError badRequest, artifactTooLarge. */
export async function mergeInto({ staging, tools, signal }: Step, base: string, over: string, target: string): Promise<string> {
  staging.left.merges -= 1;
  if (staging.left.merges < 0) throw new AppError('artifactTooLarge', 'more files are merged than is allowed');
  const merged = mergeMaps(await readMap(tools, base, target, signal), await readMap(tools, over, target, signal));
  const file = join(staging.scratch, randomUUID());
  await writeFile(file, `${stringifyJson(merged, 2)}\n`, { flag: 'wx', mode: 0o600 });
  return file;
}

/** All documents of a file as one map, later ones over earlier ones. The message never quotes the content. */
async function readMap(tools: Step['tools'], file: string, target: string, signal: AbortSignal): Promise<JsonObject> {
  const { size } = await stat(file);
  if (size > MAX_YAML_BYTES)
    throw new AppError('artifactTooLarge', `a file that is merged into ${shown(target)} is larger than ${MAX_YAML_BYTES} bytes`);
  const documents = await documentsOf(tools, await readFile(file, 'utf8'), target, signal);
  let merged: JsonObject = {};
  for (const document of documents) {
    if (document === null) continue;
    if (!isObject(document)) throw new AppError('badRequest', `a document that is merged into ${shown(target)} is no map`);
    merged = mergeMaps(merged, document);
  }
  return merged;
}

async function documentsOf(tools: Step['tools'], text: string, target: string, signal: AbortSignal): Promise<readonly Json[]> {
  try {
    return await tools.parseYaml(text, MAX_YAML_BYTES, signal);
  } catch (error) {
    if (error instanceof Error && error.name === 'YamlError')
      throw new AppError('badRequest', `a file that is merged into ${shown(target)} is no YAML`, {}, { cause: error });
    throw error;
  }
}
