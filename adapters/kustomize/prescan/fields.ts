import type { Json, JsonObject } from '#core/json.ts';
import { isObject } from '#core/json.ts';
import { refuse } from '../refusal.ts';
import type { Expected, Reference } from './references.ts';
import { objectList, onlyKeys, remoteReason, textList } from './references.ts';

/**
 * The fields of a kustomization file (kustomize 5.8, api/types/kustomization.go), split by what they can name. Go's JSON reader takes field names in any
 * case, so that `HelmCharts` would be read too: here only the exact names are known.
 */
const PLAIN_FIELDS = [
  'apiVersion',
  'kind',
  'metadata',
  'namePrefix',
  'nameSuffix',
  'namespace',
  'commonLabels',
  'commonAnnotations',
  'labels',
  'images',
  'replicas',
  'vars',
  'sortOptions',
  'generatorOptions',
  'buildMetadata',
] as const;
const PATH_FIELDS = [
  'resources',
  'bases',
  'components',
  'crds',
  'configurations',
  'openapi',
  'generators',
  'transformers',
  'validators',
  'patches',
  'patchesStrategicMerge',
  'patchesJson6902',
  'replacements',
  'configMapGenerator',
  'secretGenerator',
] as const;
const HELM_FIELDS: ReadonlySet<string> = Object.freeze(new Set(['helmCharts', 'helmGlobals', 'helmChartInflationGenerator']));
const KNOWN: ReadonlySet<string> = Object.freeze(new Set<string>([...PLAIN_FIELDS, ...PATH_FIELDS]));

const PATCH_KEYS: ReadonlySet<string> = Object.freeze(new Set(['path', 'patch', 'target', 'options']));
const REPLACEMENT_KEYS: ReadonlySet<string> = Object.freeze(new Set(['path', 'source', 'targets']));
const OPENAPI_KEYS: ReadonlySet<string> = Object.freeze(new Set(['path', 'version']));
const GENERATOR_KEYS: ReadonlySet<string> = Object.freeze(
  new Set([
    'name',
    'namespace',
    'behavior',
    'files',
    'env',
    'envs',
    'literals',
    'options',
    'type',
    'immutable',
    'annotations',
    'labels',
    'apiVersion',
    'kind',
    'metadata',
  ]),
);

type Unresolved = Readonly<{ field: string; text: string; expected: Expected; role: Reference['role'] }>;
/** Inline transformer or generator settings. */
export type Inline = Readonly<{ field: string; text: string }>;
export type FieldsFound = Readonly<{ references: readonly Unresolved[]; inlines: readonly Inline[] }>;

/** Every path of a kustomization file, not yet resolved, and its inline plugin settings. Throws buildFailed for unknown, helm and broken fields. Pure. */
export function scanFields(kustomization: JsonObject, file: string): FieldsFound {
  for (const key of Object.keys(kustomization)) {
    if (HELM_FIELDS.has(key))
      throw refuse(`${file}: ${key} is not supported: no chart is rendered inside a kustomization; use a HelmRelease`);
  }
  onlyKeys(kustomization, KNOWN, file, '');
  const simple = (field: string, expected: Expected, role: Reference['role']): readonly Unresolved[] =>
    textList(kustomization[field], file, field).map((text, index) => ({ field: `${field}[${index}]`, text, expected, role }));
  const plugins = ['generators', 'transformers', 'validators'].flatMap((field) => simple(field, 'either', 'plugin'));
  return {
    references: [
      ...simple('resources', 'either', 'build'),
      ...simple('bases', 'folder', 'build'),
      ...simple('components', 'folder', 'build'),
      ...simple('crds', 'file', 'data'),
      ...simple('configurations', 'file', 'data'),
      ...openapi(kustomization['openapi'], file),
      ...patchFiles(kustomization, file),
      ...strategicMerge(kustomization, file),
      ...pathsOf(kustomization['replacements'], REPLACEMENT_KEYS, file, 'replacements'),
      ...['configMapGenerator', 'secretGenerator'].flatMap((field) =>
        objectList(kustomization[field], file, field).flatMap((one, index) => generatorSources(one, file, `${field}[${index}]`)),
      ),
      ...plugins.filter((one) => !isInline(one.text)),
    ],
    inlines: plugins.filter((one) => isInline(one.text)),
  };
}

/** Kustomize takes an entry for inline text when it parses as an object; a path has no line break and no `: `. */
export function isInline(text: string): boolean {
  return text.includes('\n') || text.includes(': ') || text.startsWith('{');
}

function openapi(value: Json | undefined, file: string): readonly Unresolved[] {
  if (value === undefined || value === null) return [];
  if (!isObject(value)) throw refuse(`${file}: openapi is no map`);
  onlyKeys(value, OPENAPI_KEYS, file, 'openapi');
  return onePath(value['path'], file, 'openapi.path');
}

function patchFiles(kustomization: JsonObject, file: string): readonly Unresolved[] {
  return [
    ...pathsOf(kustomization['patches'], PATCH_KEYS, file, 'patches'),
    ...pathsOf(kustomization['patchesJson6902'], PATCH_KEYS, file, 'patchesJson6902'),
  ];
}

function strategicMerge(kustomization: JsonObject, file: string): readonly Unresolved[] {
  const field = 'patchesStrategicMerge';
  return textList(kustomization[field], file, field)
    .map((text, index): Unresolved => ({ field: `${field}[${index}]`, text, expected: 'file', role: 'data' }))
    .filter((one) => !isInline(one.text));
}

export function pathsOf(value: Json | undefined, keys: ReadonlySet<string>, file: string, field: string): readonly Unresolved[] {
  return objectList(value, file, field).flatMap((one, index) => {
    onlyKeys(one, keys, file, `${field}[${index}]`);
    return onePath(one['path'], file, `${field}[${index}].path`);
  });
}

export function onePath(value: Json | undefined, file: string, field: string): readonly Unresolved[] {
  if (value === undefined || value === null || value === '') return [];
  if (typeof value !== 'string') throw refuse(`${file}: ${field} is no text`);
  return [{ field, text: value, expected: 'file', role: 'data' }];
}

/** `files` entries may carry a key in front: `key=path`. */
export function generatorSources(one: JsonObject, file: string, field: string): readonly Unresolved[] {
  onlyKeys(one, GENERATOR_KEYS, file, field);
  const files = textList(one['files'], file, `${field}.files`).map((text, index): Unresolved => {
    // A URL may hold a `=` of its own: it is left whole, to be refused as what it is.
    const path = text.includes('=') && remoteReason(text) === null ? text.slice(text.indexOf('=') + 1) : text;
    return { field: `${field}.files[${index}]`, text: path, expected: 'file', role: 'data' };
  });
  const envs = textList(one['envs'], file, `${field}.envs`).map(
    (text, index): Unresolved => ({ field: `${field}.envs[${index}]`, text, expected: 'file', role: 'data' }),
  );
  return [...files, ...envs, ...onePath(one['env'], file, `${field}.env`)];
}

export type { Unresolved };
export { PATCH_KEYS, REPLACEMENT_KEYS };
