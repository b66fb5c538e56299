import { at, isObject, type Json, type JsonObject, textAt } from '#core/json.ts';
import type { Health } from '#core/ports.ts';

/** What a rule comes to. Rules follow kstatus (`kubernetes-sigs/cli-utils` pkg/kstatus/status). */
export type Verdict = Pick<Health, 'is' | 'message'>;
export type Rule = (object: JsonObject, nowMs: number) => Verdict;

export type Condition = Readonly<{ type: string; status: string; reason: string; message: string }>;

const maxConditions = 64;
const maxChars = 512;

export function current(message: string): Verdict {
  return { is: 'current', message: message.slice(0, maxChars) };
}
export function inProgress(message: string): Verdict {
  return { is: 'inProgress', message: message.slice(0, maxChars) };
}
export function failed(message: string): Verdict {
  return { is: 'failed', message: message.slice(0, maxChars) };
}

export function conditionsOf(object: JsonObject): readonly Condition[] {
  const list = at(object, 'status', 'conditions');
  return (Array.isArray(list) ? list : [])
    .slice(0, maxConditions)
    .filter(isObject)
    .map((one) => ({
      type: textAt(one, 'type') ?? '',
      status: textAt(one, 'status') ?? '',
      reason: textAt(one, 'reason') ?? '',
      message: textAt(one, 'message') ?? '',
    }));
}

export function conditionOf(object: JsonObject, type: string): Condition | null {
  return conditionsOf(object).find((one) => one.type === type) ?? null;
}

/** A count in the object, or the default when it is absent or no number. */
export function count(object: JsonObject, otherwise: number, ...path: readonly string[]): number {
  const value: Json | undefined = at(object, ...path);
  return typeof value === 'number' ? value : otherwise;
}
