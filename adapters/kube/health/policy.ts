import { conditionOf, current, inProgress, type Rule } from '#adapters/kube/health/verdict.ts';

/** The generation check before the rules already says that the controller has seen it; SyncFailed is its word since Kubernetes 1.22. */
const podDisruptionBudget: Rule = (object) => {
  const allowed = conditionOf(object, 'DisruptionAllowed');
  if (allowed?.reason === 'SyncFailed') return inProgress(allowed.message);
  return current('AllowedDisruptions has been computed.');
};

export const policy: Readonly<Record<string, Rule>> = Object.freeze({ PodDisruptionBudget: podDisruptionBudget });
