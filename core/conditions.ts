import { isObject, type Json, type JsonObject } from './json.ts';
import type { ExtraCondition, Outcome } from './outcome.ts';
import { parseRfc3339, rfc3339 } from './time.ts';

/** A condition as Flux and Kubernetes write it. */
export type Condition = Readonly<{
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  observedGeneration: number;
  lastTransitionTime: string;
}>;

const MAX_MESSAGE = 20_000;
/** Ready and the two abnormal ones come first, as Flux's own objects show them. */
const ORDER: readonly string[] = Object.freeze(['Reconciling', 'Stalled', 'Ready', 'Healthy']);

type Judge = Readonly<{
  outcome: Outcome;
  extras: readonly ExtraCondition[];
  previous: readonly Condition[];
  generation: number;
  nowMs: number;
}>;

/**
 * The only maker of conditions (definitions.md 1.6): Ready always; Reconciling and Stalled only when true; a failed or waiting run says
 * Reconciling=True so that clients keep waiting. lastTransitionTime moves only with the status, observedGeneration with what a run says. Pure.
 */
export function conditionsFor({ outcome, extras, previous, generation, nowMs }: Judge): readonly Condition[] {
  const wanted = new Map<string, ExtraCondition>();
  for (const kept of previous) {
    if (!['Ready', 'Reconciling', 'Stalled'].includes(kept.type)) wanted.set(kept.type, kept);
  }
  for (const extra of extras) wanted.set(extra.type, extra);
  for (const own of ownConditions(outcome)) wanted.set(own.type, own);
  const made: Condition[] = [];
  for (const condition of wanted.values()) {
    if (condition.status === null) continue;
    // What nobody speaks of in this run is still what was seen at an earlier generation: a signature is not of the changed spec.
    made.push(previous.find((one) => one === condition) ?? stamp(condition, previous, generation, nowMs));
  }
  return made.sort((a, b) => rank(a.type) - rank(b.type) || (a.type < b.type ? -1 : 1));
}

/** What is shown between the claim and the end of a run that really does something. */
export function progressing(message: string, revision: string, afterMs: number): Outcome {
  return { is: 'waiting', reason: 'Progressing', message: `${message}${revision === '' ? '' : ` for ${revision}`}`, afterMs };
}

function ownConditions(outcome: Outcome): readonly ExtraCondition[] {
  const message = outcome.message.slice(0, MAX_MESSAGE);
  switch (outcome.is) {
    case 'ready':
      return [{ type: 'Ready', status: 'True', reason: outcome.reason, message }];
    case 'stalled':
      return [
        { type: 'Ready', status: 'False', reason: outcome.reason, message },
        { type: 'Stalled', status: 'True', reason: outcome.reason, message },
      ];
    case 'failed':
      return [
        { type: 'Ready', status: 'False', reason: outcome.reason, message },
        { type: 'Reconciling', status: 'True', reason: 'ProgressingWithRetry', message },
      ];
    case 'waiting': {
      const status = outcome.reason === 'Progressing' || outcome.reason === 'UnknownResult' ? 'Unknown' : 'False';
      return [
        { type: 'Ready', status, reason: outcome.reason, message },
        { type: 'Reconciling', status: 'True', reason: 'Progressing', message },
      ];
    }
  }
}

function stamp(
  condition: Exclude<ExtraCondition, { status: null }>,
  previous: readonly Condition[],
  generation: number,
  nowMs: number,
): Condition {
  const before = previous.find((one) => one.type === condition.type);
  const lastTransitionTime = before !== undefined && before.status === condition.status ? before.lastTransitionTime : rfc3339(nowMs);
  return {
    type: condition.type,
    status: condition.status,
    reason: condition.reason,
    message: condition.message,
    observedGeneration: generation,
    lastTransitionTime,
  };
}

function rank(type: string): number {
  const at = ORDER.indexOf(type);
  return at === -1 ? ORDER.length : at;
}

/** The conditions in a stored status; entries of another shape are a bug of the writer and are left out. */
export function readConditions(status: JsonObject | null): readonly Condition[] {
  const list = status?.['conditions'];
  return Array.isArray(list) ? list.filter(isCondition) : [];
}

function isCondition(value: Json): value is Condition & JsonObject {
  return (
    isObject(value) &&
    ['type', 'status', 'reason', 'message', 'lastTransitionTime'].every((key) => typeof value[key] === 'string') &&
    typeof value['observedGeneration'] === 'number'
  );
}

export function conditionOf(status: JsonObject | null, type: string): Condition | null {
  return readConditions(status).find((one) => one.type === type) ?? null;
}

/** True when the object is ready for its current generation. */
export function isReady(object: Readonly<{ generation: number; status: JsonObject | null }>): boolean {
  return conditionOf(object.status, 'Ready')?.status === 'True' && object.status?.['observedGeneration'] === object.generation;
}

/**
 * The numbered checks that every status must pass; run after every integration test. Empty when all hold.
 */
export function brokenStatusRules(object: Readonly<{ generation: number; status: JsonObject | null }>): readonly string[] {
  const conditions = readConditions(object.status);
  const broken: string[] = [];
  const by = (type: string) => conditions.find((one) => one.type === type);
  if (new Set(conditions.map((one) => one.type)).size !== conditions.length) broken.push('1: a condition type appears twice');
  for (const type of ['Reconciling', 'Stalled'])
    if (by(type) !== undefined && by(type)?.status !== 'True') broken.push(`2: ${type} is present and not True`);
  if (by('Reconciling') !== undefined && by('Stalled') !== undefined) broken.push('3: Reconciling and Stalled together');
  if (by('Ready')?.status === 'True' && (by('Reconciling') ?? by('Stalled')) !== undefined)
    broken.push('4: Ready while Reconciling or Stalled');
  if (by('Ready')?.status === 'True' && object.status?.['observedGeneration'] !== by('Ready')?.observedGeneration)
    broken.push('5: Ready for a generation that is not observedGeneration');
  const observed = object.status?.['observedGeneration'];
  if (typeof observed === 'number' && observed > object.generation) broken.push('6: observedGeneration beyond the generation');
  for (const one of conditions)
    if (parseRfc3339(one.lastTransitionTime) === null) broken.push(`7: ${one.type} has no valid lastTransitionTime`);
  if (conditions.length > 0 && by('Ready') === undefined) broken.push('8: conditions without Ready');
  return broken;
}
