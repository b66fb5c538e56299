import { canonicalJson } from '#core/json.ts';
import type { Judged } from '#core/kind.ts';
import type { ImagePolicyObj, Seen } from './observe.ts';
import type { ImagePolicyStatus, ImageRef } from './schema.ts';

type Verdict = Judged<typeof ImagePolicyStatus>;

/** What the choice comes to. A policy has nothing to do but to say what it chose; a failure keeps the last choice. Pure. */
export function decide(obj: ImagePolicyObj, seen: Seen): Verdict {
  switch (seen.at) {
    case 'missing':
      return { is: 'failed', reason: 'DependencyNotReady', message: seen.message };
    case 'denied':
      // Labels of the namespace may change, so it is asked again.
      return { is: 'failed', reason: 'AccessDenied', message: seen.message };
    case 'imageInvalid':
      return { is: 'stalled', reason: 'ImageURLInvalid', message: seen.message };
    case 'invalid':
      return { is: 'stalled', reason: 'InvalidPolicy', message: seen.message };
    case 'noInterval':
      return { is: 'stalled', reason: 'IntervalNotConfigured', message: seen.message };
    case 'failed':
      return {
        is: 'failed',
        reason: 'Failure',
        message: seen.message,
        ...(seen.retryAfterMs === undefined ? {} : { retryAfterMs: seen.retryAfterMs }),
      };
    case 'chosen':
      return chosen(obj, seen);
  }
}

function chosen({ status }: ImagePolicyObj, { ref, isHeld }: Extract<Seen, { at: 'chosen' }>): Verdict {
  const before = status?.latestRef;
  const moved = before === undefined || canonicalJson({ ...before }) !== canonicalJson({ ...ref });
  const previous = moved ? before : status?.observedPreviousRef;
  const resolved = `Latest image tag for ${ref.name} resolved to ${shown(ref)}`;
  const message = isHeld
    ? `${resolved}, which is no longer in the registry; what is left is older and is not taken by itself: push the tag again, or change the policy`
    : previous === undefined || !samePlace(previous, ref)
      ? resolved
      : `${resolved} (previously ${previous.name}:${shown(previous)})`;
  return {
    is: 'ready',
    reason: 'Succeeded',
    message,
    revision: `${ref.name}:${shown(ref)}`,
    shown: { status: { latestRef: ref, ...(moved && before !== undefined ? { observedPreviousRef: before } : {}) } },
  };
}

function samePlace(left: ImageRef, right: ImageRef): boolean {
  return left.name === right.name;
}

function shown({ tag, digest }: ImageRef): string {
  return digest === undefined ? tag : `${tag}@${digest}`;
}
