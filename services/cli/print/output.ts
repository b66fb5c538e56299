import { type Json, type JsonObject, textAt } from '#core/json.ts';
import { unanswered } from '#services/cli/failure.ts';
import { evaluateJsonPath } from '#services/cli/print/jsonpath.ts';
import { jsonText, yamlText } from '#services/cli/print/yaml.ts';
import type { Io } from '#services/cli/term/io.ts';
import { oneLine } from '#services/cli/term/strip.ts';

/** `-o` of every verb that reads. */
export type Output = Readonly<{ as: 'table' | 'wide' | 'json' | 'yaml' | 'name' }> | Readonly<{ as: 'jsonpath'; template: string }>;

/** Throws CliFailure (exit 2) for a form that does not exist. */
export function parseOutput(text: string | undefined): Output {
  if (text === undefined || text === 'table') return { as: 'table' };
  if (text === 'wide' || text === 'json' || text === 'yaml' || text === 'name') return { as: text };
  if (text.startsWith('jsonpath=')) return { as: 'jsonpath', template: text.slice('jsonpath='.length) };
  throw unanswered(`-o ${JSON.stringify(text)} does not exist`, { next: 'use table, wide, json, yaml, name or jsonpath=…' });
}

/** Prints an object or a List; the form of a table, and names of what is no object, are the caller's. The only printer of data (cli-console C5). */
export function printValue(
  io: Io,
  output: Output,
  value: JsonObject,
  table: (wide: boolean) => string,
  names: () => readonly string[] = () => membersOf(value).map(nameOf),
): void {
  switch (output.as) {
    case 'table':
      return io.out(table(false));
    case 'wide':
      return io.out(table(true));
    case 'json':
      return io.out(`${jsonText(value)}\n`);
    case 'yaml':
      return io.out(yamlText(value));
    case 'name':
      return io.out(
        names()
          .map((name) => `${oneLine(name)}\n`)
          .join(''),
      );
    case 'jsonpath':
      return io.out(`${evaluateJsonPath(output.template, value)}\n`);
  }
}

/** A list as kubectl takes it: `weir get … -o json | kubectl apply -f -`. */
export function listOf(items: readonly JsonObject[]): JsonObject {
  return { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items };
}

/** `kustomization.kustomize.toolkit.fluxcd.io/apps`, as kubectl's `-o name`. */
export function nameOf(object: JsonObject): string {
  const apiVersion = textAt(object, 'apiVersion') ?? '';
  const slash = apiVersion.indexOf('/');
  const kind = (textAt(object, 'kind') ?? '').toLowerCase();
  return oneLine(`${kind}${slash === -1 ? '' : `.${apiVersion.slice(0, slash)}`}/${textAt(object, 'metadata', 'name') ?? ''}`);
}

function membersOf(value: JsonObject): readonly JsonObject[] {
  const items: Json | undefined = value['items'];
  return Array.isArray(items) && textAt(value, 'kind') === 'List'
    ? items.filter((one): one is JsonObject => typeof one === 'object' && one !== null && !Array.isArray(one))
    : [value];
}
