import { AppError } from '#core/errors.ts';
import { at, isObject, type JsonObject } from '#core/json.ts';
import { matchesLabels, parseLabelSelector } from '#core/label-selector.ts';
import { splitApiVersion } from '#core/object-id.ts';
import type { ObjectRef, Patterns } from '#core/ports.ts';
import type { HelmReleaseSpec } from './schema.ts';

type Target = NonNullable<NonNullable<NonNullable<HelmReleaseSpec['driftDetection']>['ignore']>[number]['target']>;

const SELECTORS = Object.freeze([
  ['labelSelector', 'labels'],
  ['annotationSelector', 'annotations'],
] as const);
const KEYS = Object.freeze(['group', 'version', 'kind', 'name', 'namespace'] as const);

type Wanted = Readonly<{ ref: ObjectRef; manifest: JsonObject }>;

/** JSON pointers of `spec.driftDetection.ignore` that hold for an object of the release; labels and annotations are those that the release gives it, as in Flux. */
export function ignoredPointers(patterns: Patterns, spec: HelmReleaseSpec, one: Wanted): readonly string[] {
  return (spec.driftDetection?.ignore ?? []).filter((rule) => isMeant(patterns, rule.target, one)).flatMap((rule) => rule.paths);
}

/** Which of the patterns or selectors is none, and why; null when all can be used. */
export function invalidTarget(patterns: Patterns, spec: HelmReleaseSpec): string | null {
  for (const [index, { target }] of (spec.driftDetection?.ignore ?? []).entries()) {
    for (const [key] of SELECTORS) {
      const fault = selectorFault(target?.[key] ?? '');
      if (fault !== null) return `spec.driftDetection.ignore[${index}].target.${key}: ${fault}`;
    }
    for (const key of KEYS) {
      const compiled = patterns.compile(anchored(target?.[key] ?? ''));
      if (compiled.is === 'invalid') return `spec.driftDetection.ignore[${index}].target.${key}: ${compiled.message}`;
    }
  }
  return null;
}

/** Each given pattern must fit the whole of what it is for (definitions.md 1.3). */
function isMeant(patterns: Patterns, target: Target | undefined, { ref, manifest }: Wanted): boolean {
  if (target === undefined) return true;
  const selected = SELECTORS.every(([key, field]) => matchesLabels(parseLabelSelector(target[key] ?? ''), textsAt(manifest, field)));
  if (!selected) return false;
  const facts = { ...splitApiVersion(ref.apiVersion), kind: ref.kind, name: ref.name, namespace: ref.namespace };
  return KEYS.every((key) => {
    const text = target[key] ?? '';
    if (text === '') return true;
    const compiled = patterns.compile(anchored(text));
    return compiled.is === 'pattern' && compiled.isIn(facts[key]);
  });
}

function anchored(pattern: string): string {
  return `^(?:${pattern})$`;
}

/** Kubernetes' label selector text (`a=b,c in (d,e),!f`), for annotations too. */
function selectorFault(text: string): string | null {
  try {
    parseLabelSelector(text);
    return null;
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}

function textsAt(manifest: JsonObject, field: string): Readonly<Record<string, string>> {
  const map = at(manifest, 'metadata', field);
  const pairs = Object.entries(isObject(map) ? map : {});
  return Object.fromEntries(pairs.flatMap(([key, value]) => (typeof value === 'string' ? [[key, value] as const] : [])));
}
