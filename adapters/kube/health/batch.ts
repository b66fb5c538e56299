import { conditionOf, count, current, failed, inProgress, type Rule } from '#adapters/kube/health/verdict.ts';
import { textAt } from '#core/json.ts';

/** As Flux's reader, and unlike kstatus, a running Job is in progress until it is complete (`fluxcd/pkg` runtime/statusreaders/job.go). */
const job: Rule = (object) => {
  const parallelism = count(object, 1, 'spec', 'parallelism');
  const completions = count(object, parallelism, 'spec', 'completions');
  const succeeded = count(object, 0, 'status', 'succeeded');
  const failures = count(object, 0, 'status', 'failed');
  if (conditionOf(object, 'Complete')?.status === 'True') return current(`Job Completed. succeeded: ${succeeded}/${completions}`);
  if (conditionOf(object, 'Failed')?.status === 'True') return failed(`Job Failed. failed: ${failures}/${completions}`);
  if (conditionOf(object, 'Suspended')?.status === 'True') return current('Job is suspended');
  if (textAt(object, 'status', 'startTime') === undefined) return inProgress('Job not started');
  return inProgress(`Job in progress. success:${succeeded}, active: ${count(object, 0, 'status', 'active')}, failed: ${failures}`);
};

const cronJob: Rule = () => current('Resource is always ready');

export const batch: Readonly<Record<string, Rule>> = Object.freeze({ Job: job, CronJob: cronJob });
