import { current, type Rule } from '#adapters/kube/health/verdict.ts';

/**
 * kstatus has no rule for it: it is current once it is there. Its AbleToScale and ScalingActive conditions tell of metrics, which a delivery does not
 * bring about.
 */
const horizontalPodAutoscaler: Rule = () => current('Resource is current');

export const autoscaling: Readonly<Record<string, Rule>> = Object.freeze({ HorizontalPodAutoscaler: horizontalPodAutoscaler });
