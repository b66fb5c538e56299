import { splitApiVersion } from '#core/object-id.ts';
import type { ObjectRef, Patterns } from '#core/ports.ts';
import type { HelmReleaseSpec } from './schema.ts';

type Target = NonNullable<NonNullable<NonNullable<HelmReleaseSpec['driftDetection']>['ignore']>[number]['target']>;

const KEYS = Object.freeze(['group', 'version', 'kind', 'name', 'namespace'] as const);

/** JSON pointers of `spec.driftDetection.ignore` that hold for an object. */
export function ignoredPointers(patterns: Patterns, spec: HelmReleaseSpec, ref: ObjectRef): readonly string[] {
  return (spec.driftDetection?.ignore ?? []).filter((rule) => isMeant(patterns, rule.target, ref)).flatMap((rule) => rule.paths);
}

/** Which of the patterns is none, and why; null when all can be used. */
export function invalidTarget(patterns: Patterns, spec: HelmReleaseSpec): string | null {
  for (const [index, { target }] of (spec.driftDetection?.ignore ?? []).entries())
    for (const key of KEYS) {
      const compiled = patterns.compile(anchored(target?.[key] ?? ''));
      if (compiled.is === 'invalid') return `spec.driftDetection.ignore[${index}].target.${key}: ${compiled.message}`;
    }
  return null;
}

/** Each given pattern must fit the whole of what it is for (definitions.md 1.3). */
function isMeant(patterns: Patterns, target: Target | undefined, ref: ObjectRef): boolean {
  if (target === undefined) return true;
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
