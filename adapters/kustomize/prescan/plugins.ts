import type { Json, JsonObject } from '#core/json.ts';
import { at, isObject, textAt } from '#core/json.ts';
import { refuse } from '../refusal.ts';
import type { Unresolved } from './fields.ts';
import { generatorSources, isInline, onePath, pathsOf, REPLACEMENT_KEYS } from './fields.ts';
import { list, textList } from './references.ts';

/** Kinds that kustomize itself carries and that start nothing (api/internal/plugins/builtinhelpers); the helm one is left out. */
const BUILTIN: ReadonlySet<string> = Object.freeze(
  new Set([
    'AnnotationsTransformer',
    'ConfigMapGenerator',
    'HashTransformer',
    'IAMPolicyGenerator',
    'ImageTagTransformer',
    'LabelTransformer',
    'LegacyOrderTransformer',
    'NamespaceTransformer',
    'PatchJson6902Transformer',
    'PatchStrategicMergeTransformer',
    'PatchTransformer',
    'PrefixSuffixTransformer',
    'PrefixTransformer',
    'SuffixTransformer',
    'ReplacementTransformer',
    'ReplicaCountTransformer',
    'SecretGenerator',
    'SortOrderTransformer',
    'ValueAddTransformer',
  ]),
);
const FUNCTION_ANNOTATIONS = ['config.kubernetes.io/function', 'config.k8s.io/function', 'config.kubernetes.io/container'] as const;

/**
 * Paths in the settings of transformers, generators and validators. Throws buildFailed for all that would run something: functions (exec, container,
 * Starlark), alpha plugins, helm (threats A4, A7). Kustomize is started without the flags that allow them; the refusal here says why. Pure.
 */
export function scanPlugins(documents: readonly Json[], file: string, field: string): readonly Unresolved[] {
  return documents
    .filter((one) => one !== null)
    .flatMap((one) => {
      if (!isObject(one)) throw refuse(`${file}: ${field} holds no settings of a transformer or generator`);
      return scanPlugin(one, file, field);
    });
}

function scanPlugin(settings: JsonObject, file: string, field: string): readonly Unresolved[] {
  const kind = textAt(settings, 'kind') ?? '';
  for (const annotation of FUNCTION_ANNOTATIONS) {
    if (at(settings, 'metadata', 'annotations', annotation) !== undefined)
      throw refuse(`${file}: ${field} asks for a function (${annotation}); functions and plugins are not run`);
  }
  if (kind === 'HelmChartInflationGenerator')
    throw refuse(`${file}: ${field} asks for HelmChartInflationGenerator, which is not supported; use a HelmRelease`);
  if (textAt(settings, 'apiVersion') !== 'builtin' || !BUILTIN.has(kind)) {
    throw refuse(
      `${file}: ${field} asks for the plugin ${JSON.stringify(kind.slice(0, 80))}; only kustomize's builtin transformers and generators are run`,
    );
  }
  return pathsByKind(kind, settings, file, `${field} (${kind})`);
}

function pathsByKind(kind: string, settings: JsonObject, file: string, field: string): readonly Unresolved[] {
  switch (kind) {
    case 'ConfigMapGenerator':
    case 'SecretGenerator':
      return generatorSources(settings, file, field);
    case 'PatchTransformer':
    case 'PatchJson6902Transformer':
      return onePath(settings['path'], file, `${field}.path`);
    case 'PatchStrategicMergeTransformer':
      return textList(settings['paths'], file, `${field}.paths`)
        .map((text, index): Unresolved => ({ field: `${field}.paths[${index}]`, text, expected: 'file', role: 'data' }))
        .filter((one) => !isInline(one.text));
    case 'ReplacementTransformer':
      return list(settings['replacements'], file, field).length === 0
        ? []
        : pathsOf(settings['replacements'], REPLACEMENT_KEYS, file, `${field}.replacements`);
    default:
      return [];
  }
}
