import { type ComposeOutput, type CopyRule, readCopyRule } from '#core/compose.ts';
import type { ArtifactGeneratorSpec } from './schema.ts';

const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
/** Each rule costs a look at every file of its source. */
const MAX_RULES = 2_000;

/** The outputs with their rules read, or what no retry mends (definitions.md 2.8: ValidationFailed). Pure. */
export function planOf(spec: ArtifactGeneratorSpec): Readonly<{ outputs: readonly ComposeOutput[] }> | Readonly<{ problem: string }> {
  const aliases = new Set<string>();
  for (const { alias } of spec.sources) {
    if (aliases.has(alias)) return { problem: `duplicate alias '${alias}' in spec.sources` };
    aliases.add(alias);
  }
  const names = new Set<string>();
  const outputs: ComposeOutput[] = [];
  let count = 0;
  for (const { name, revision, originRevision, copy } of spec.artifacts) {
    if (!NAME.test(name)) return { problem: `artifact name '${name}' must be a DNS subdomain` };
    if (names.has(name)) return { problem: `duplicate artifact name '${name}' in spec.artifacts` };
    names.add(name);
    for (const alias of [revision, originRevision])
      if (alias !== undefined && !aliases.has(alias.slice(1)))
        return { problem: `artifact '${name}': source alias '${alias.slice(1)}' not found` };
    const rules: CopyRule[] = [];
    for (const one of copy) {
      const rule = readCopyRule(one);
      if (typeof rule === 'string') return { problem: `artifact '${name}': ${rule}` };
      if (!aliases.has(rule.alias)) return { problem: `artifact '${name}': source alias '${rule.alias}' not found` };
      rules.push(rule);
    }
    count += rules.length;
    if (count > MAX_RULES) return { problem: `spec.artifacts holds more than ${MAX_RULES} copy rules` };
    outputs.push({ name, rules });
  }
  return { outputs };
}
