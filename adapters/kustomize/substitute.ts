import type { JsonObject } from '#core/json.ts';
import { textAt } from '#core/json.ts';
import type { Substitution } from '#core/ports.ts';
import { evaluate, variablesOf } from './envsubst/evaluate.ts';
import { SubstitutionError } from './envsubst/parse.ts';
import { refuse } from './refusal.ts';

const VARIABLE_NAME = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const SWITCH = 'kustomize.toolkit.fluxcd.io/substitute';
const MAX_NAME_LENGTH = 80;

/**
 * Variables as the build sees them: line breaks are removed from values, a bad name fails. Null when the step is skipped: no variable exists and the strategy
 * is not `always`. Throws buildFailed. Pure.
 */
export function variablesFor(substitution: Substitution): ReadonlyMap<string, string> | null {
  const entries = Object.entries(substitution.variables);
  for (const [name] of entries) {
    if (!VARIABLE_NAME.test(name))
      throw refuse(
        `the variable name ${JSON.stringify(name.slice(0, MAX_NAME_LENGTH))} is not valid: use letters, digits and _, and no digit first`,
      );
  }
  if (entries.length === 0 && !substitution.always) return null;
  return new Map(entries.map(([name, value]) => [name, value.replaceAll('\n', '')]));
}

/** Whether an object takes part: text with a `$`, and not switched off by label or annotation with exactly the text `disabled`. Pure. */
export function takesPart(object: JsonObject, text: string): boolean {
  if (!text.includes('$')) return false;
  return textAt(object, 'metadata', 'labels', SWITCH) !== 'disabled' && textAt(object, 'metadata', 'annotations', SWITCH) !== 'disabled';
}

/** The object's YAML text with its variables replaced. `data` of a Secret is base64 and holds no `$`: only its `stringData` can change. Throws buildFailed naming object and variable, never a value. Pure. */
export function substituteText(text: string, object: string, variables: ReadonlyMap<string, string>, maxOutputBytes: number): string {
  return naming(object, () => evaluate(text, variables, { maxOutputBytes }));
}

/** Names of the variables that an object's text reads; none for a text whose substitution fails anyway. Pure. */
export function variablesIn(text: string): ReadonlySet<string> {
  try {
    return variablesOf(text);
  } catch (error) {
    if (error instanceof SubstitutionError) return new Set();
    throw error;
  }
}

function naming<T>(object: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SubstitutionError)) throw error;
    const variable = error.variable === '' ? '' : ` of variable ${JSON.stringify(error.variable.slice(0, MAX_NAME_LENGTH))}`;
    throw refuse(`${object}: substitution${variable} failed: ${error.message}`);
  }
}
