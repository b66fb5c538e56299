import { type AppliedStep, applyWorkload, planWorkload, type WorkloadPlan } from '#services/cli/onboard/plan.ts';
import { type ClusterFacts, giveCredential, type PlanePlan, planPlane, writePlane } from '#services/cli/onboard/register.ts';
import { bootstrapAccount, type OnboardWish, systemNamespace } from '#services/cli/onboard/wish.ts';
import type { Workload } from '#services/cli/onboard/workload.ts';
import type { Plane } from '#services/cli/plane/plane.ts';

/** 30 days are asked for; what the cluster grants is accepted. */
const tokenSeconds = 30 * 86_400;

export type OnboardParts = Readonly<{ workload: Workload; plane: Plane; nowMs: number }>;
export type OnboardPlan = Readonly<{ wish: OnboardWish; workload: WorkloadPlan; plane: PlanePlan; mintToken: boolean }>;
export type OnboardResult = Readonly<{
  workload: readonly AppliedStep[];
  plane: readonly AppliedStep[] /** When the new bootstrap token ends; null when the one at hand is still good. */;
  tokenExpiresAt: string | null;
}>;
export type OnboardTell = Readonly<{ step(step: AppliedStep, where: 'cluster' | 'plane'): void }>;

/**
 * All that onboarding would do, found without writing anything. Throws CliFailure.
 * The plane learns the cluster's address and CA, and later the bootstrap token; nothing of the operator's.
 */
export async function planOnboard({ workload, plane, nowMs }: OnboardParts, wish: OnboardWish, facts: ClusterFacts): Promise<OnboardPlan> {
  const workloadPlan = await planWorkload(workload, wish);
  const planePlan = await planPlane(plane, wish, facts, nowMs);
  // Another address may be another cluster, and tokens of a deleted account are dead: only what is untouched goes on with its token.
  const untouched =
    planePlan.cluster.change === 'unchanged' && !workloadPlan.steps.some((step) => step.change === 'create' && isBootstrap(step.title));
  return Object.freeze({ wish, workload: workloadPlan, plane: planePlan, mintToken: !(untouched && planePlan.credentialIsGood) });
}

/** Does what was planned: cluster first, then the plane, the token last. May be done again at any point. */
export async function applyOnboard({ workload, plane }: OnboardParts, plan: OnboardPlan, tell: OnboardTell): Promise<OnboardResult> {
  const inCluster = await applyWorkload(workload, plan.workload, (step) => tell.step(step, 'cluster'));
  const inPlane = await writePlane(plane, plan.plane, (step) => tell.step(step, 'plane'));
  if (!plan.mintToken) return { workload: inCluster, plane: inPlane, tokenExpiresAt: null };
  const credential = await workload.mintToken({ namespace: systemNamespace, name: bootstrapAccount }, tokenSeconds);
  await giveCredential(plane, plan.wish, credential);
  return { workload: inCluster, plane: inPlane, tokenExpiresAt: credential.expiresAt };
}

/** Plan and apply in one call, for programs that ask nobody. */
export async function onboard(
  parts: OnboardParts,
  wish: OnboardWish,
  facts: ClusterFacts,
  tell: OnboardTell = { step: () => undefined },
): Promise<OnboardResult> {
  return applyOnboard(parts, await planOnboard(parts, wish, facts), tell);
}

/** True when the plan changes nothing anywhere. */
export function isNothing(plan: OnboardPlan): boolean {
  const changes = [...plan.workload.steps.map((step) => step.change), plan.plane.cluster.change, plan.plane.grant.change];
  return !plan.mintToken && changes.every((change) => change === 'unchanged');
}

function isBootstrap(title: string): boolean {
  return title === `ServiceAccount/${systemNamespace}/${bootstrapAccount}` || title === `Namespace/${systemNamespace}`;
}
