import { compileCondition, parseRule } from './cel/expression.ts';
import { at, isObject, type Json, type JsonObject, textAt } from './json.ts';

type Complaint = Readonly<{ field: string; message: string }>;

/** The names of `readyExpr`: the object that waits, and the one it waits for. */
export const READY_NAMES: readonly string[] = Object.freeze(['self', 'dep']);
const RULES = ['current', 'inProgress', 'failed'] as const;

/** What is wrong with the expressions of a Kustomization or HelmRelease, with the field's path and the place in the text. Pure. */
export function wrongExpressions(object: JsonObject): readonly Complaint[] {
  const complaints: Complaint[] = [];
  each(at(object, 'spec', 'healthCheckExprs'), (one, index) => {
    for (const rule of RULES) {
      const source = textAt(one, rule);
      if (source === undefined || (source === '' && rule !== 'current')) continue;
      const parsed = parseRule(source);
      if (parsed.is === 'invalid') complaints.push({ field: `spec.healthCheckExprs[${index}].${rule}`, message: invalid(parsed.message) });
    }
  });
  each(at(object, 'spec', 'dependsOn'), (one, index) => {
    const source = textAt(one, 'readyExpr');
    if (source === undefined || source === '') return;
    const parsed = compileCondition(source, READY_NAMES);
    if (parsed.is === 'invalid') complaints.push({ field: `spec.dependsOn[${index}].readyExpr`, message: invalid(parsed.message) });
  });
  return complaints;
}

function each(list: Json | undefined, look: (one: JsonObject, index: number) => void): void {
  if (!Array.isArray(list)) return;
  list.forEach((one: Json, index) => {
    if (isObject(one)) look(one, index);
  });
}

function invalid(message: string): string {
  return `no valid CEL expression, ${message}`;
}
