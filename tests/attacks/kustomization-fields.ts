import type { Files } from '#tests/render/workshop.ts';
import { configMap, kustomization } from '#tests/render/workshop.ts';

/** One field of a kustomization file that names something: how it is written, and a harmless thing that it may name (the benign twin). */
export type FieldCase = Readonly<{
  field: string;
  write: (reference: string) => Readonly<Record<string, unknown>>;
  twin: Files;
  twinReference: string;
}>;

const patch = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'own' }, data: { patched: 'yes' } });
const jsonPatch = '- {op: add, path: /data/patched, value: "yes"}\n';
const target = { kind: 'ConfigMap', name: 'own' };
const replacement = JSON.stringify([
  {
    source: { kind: 'ConfigMap', name: 'own', fieldPath: 'data.key' },
    targets: [{ select: { kind: 'ConfigMap', name: 'own' }, fieldPaths: ['data.copy'], options: { create: true } }],
  },
]);
const builtin = (kind: string, fields: object): string =>
  JSON.stringify({ apiVersion: 'builtin', kind, metadata: { name: 'x' }, ...fields });
const folder = { 'inside/kustomization.yaml': kustomization({ resources: ['cm.yaml'] }), 'inside/cm.yaml': configMap('inside') };
const component = {
  'inside/kustomization.yaml': JSON.stringify({
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    commonAnnotations: { from: 'component' },
  }),
};

function fileCase(field: string, content: string, write: FieldCase['write']): FieldCase {
  return { field, write, twin: { 'inside.txt': content }, twinReference: 'inside.txt' };
}

/** Every path-bearing field of kustomize 5.8 (api/types/kustomization.go), and of the settings of its builtin plugins. */
export const fieldCases: readonly FieldCase[] = [
  fileCase('resources (file)', configMap('inside'), (reference) => ({ resources: [reference] })),
  { field: 'resources (folder)', write: (reference) => ({ resources: [reference] }), twin: folder, twinReference: './inside' },
  { field: 'bases', write: (reference) => ({ bases: [reference] }), twin: folder, twinReference: 'inside/' },
  { field: 'components', write: (reference) => ({ components: [reference] }), twin: component, twinReference: 'inside' },
  fileCase('crds', '{}', (reference) => ({ crds: [reference] })),
  fileCase('configurations', 'namePrefix:\n- {path: metadata/name}\n', (reference) => ({ configurations: [reference] })),
  fileCase('openapi.path', '{"definitions": {}}', (reference) => ({ openapi: { path: reference } })),
  fileCase('generators', builtin('ConfigMapGenerator', { literals: ['a=b'] }), (reference) => ({ generators: [reference] })),
  fileCase(
    'transformers',
    builtin('AnnotationsTransformer', { annotations: { a: 'b' }, fieldSpecs: [{ path: 'metadata/annotations', create: true }] }),
    (reference) => ({ transformers: [reference] }),
  ),
  fileCase('validators', builtin('AnnotationsTransformer', { annotations: {} }), (reference) => ({ validators: [reference] })),
  fileCase('patches[].path', patch, (reference) => ({ patches: [{ path: reference }] })),
  fileCase('patchesStrategicMerge', patch, (reference) => ({ patchesStrategicMerge: [reference] })),
  fileCase('patchesJson6902[].path', jsonPatch, (reference) => ({
    patchesJson6902: [{ path: reference, target: { version: 'v1', ...target } }],
  })),
  fileCase('replacements[].path', replacement, (reference) => ({ replacements: [{ path: reference }] })),
  fileCase('configMapGenerator.files', 'text', (reference) => ({ configMapGenerator: [{ name: 'g', files: [reference] }] })),
  fileCase('configMapGenerator.files with key', 'text', (reference) => ({
    configMapGenerator: [{ name: 'g', files: [`key=${reference}`] }],
  })),
  fileCase('configMapGenerator.envs', 'a=b\n', (reference) => ({ configMapGenerator: [{ name: 'g', envs: [reference] }] })),
  fileCase('configMapGenerator.env', 'a=b\n', (reference) => ({ configMapGenerator: [{ name: 'g', env: reference }] })),
  fileCase('secretGenerator.files', 'text', (reference) => ({ secretGenerator: [{ name: 'g', files: [reference] }] })),
  fileCase('secretGenerator.envs', 'a=b\n', (reference) => ({ secretGenerator: [{ name: 'g', envs: [reference] }] })),
  fileCase('inline transformer, path', patch, (reference) => ({ transformers: [`${builtin('PatchTransformer', { path: reference })}\n`] })),
  fileCase('inline transformer, paths', patch, (reference) => ({
    transformers: [`${builtin('PatchStrategicMergeTransformer', { paths: [reference] })}\n`],
  })),
  fileCase('inline JSON 6902 transformer', jsonPatch, (reference) => ({
    transformers: [`${builtin('PatchJson6902Transformer', { path: reference, target: { version: 'v1', ...target } })}\n`],
  })),
  fileCase('inline generator, files', 'text', (reference) => ({
    generators: [`${builtin('ConfigMapGenerator', { files: [reference] })}\n`],
  })),
  fileCase('inline generator, envs', 'a=b\n', (reference) => ({ generators: [`${builtin('SecretGenerator', { envs: [reference] })}\n`] })),
];

/** The files of a case: a kustomization with one own ConfigMap and the field that names `reference`. */
export function filesOf(one: FieldCase, reference: string): Files {
  const fields = one.write(reference);
  const resources = ['own.yaml', ...(Array.isArray(fields['resources']) ? fields['resources'] : [])];
  return { ...one.twin, 'own.yaml': configMap('own'), 'kustomization.yaml': kustomization({ ...fields, resources }) };
}

/** The same field once per reference, each in a folder of its own: `r0`, `r1`, … (one artifact is enough). */
export function foldersOf(one: FieldCase, references: readonly string[]): Files {
  const all = references.flatMap((reference, index) =>
    Object.entries(filesOf(one, reference)).map(([path, content]) => [`r${index}/${path}`, content] as const),
  );
  return Object.fromEntries(all);
}
