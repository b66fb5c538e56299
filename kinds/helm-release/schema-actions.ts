import Type from 'typebox';
import { closed, duration, flag, list, oneOf, text } from '#core/schema.ts';

/** The five actions of a HelmRelease (definitions.md 4.3; fluxcd/helm-controller api/v2). */

const timeout = Type.Optional(duration('Limit for this action; `spec.timeout` when absent.'));
const disableHooks = Type.Optional(flag('Run no hooks.'));
const disableWait = Type.Optional(flag('Do not wait until the objects are ready.'));
const disableWaitForJobs = Type.Optional(flag('Do not wait for Jobs to end.'));
const disableOpenAPIValidation = Type.Optional(flag('Do not check manifests against the OpenAPI schema of the cluster.'));
const disableSchemaValidation = Type.Optional(flag('Do not check values against the schema of the chart.'));
const disableTakeOwnership = Type.Optional(flag('Refuse objects that exist and belong to no release or another one.'));
const crds = Type.Optional(
  oneOf(['Skip', 'Create', 'CreateReplace'], 'What happens with the CRDs of the chart: none, new ones only, or new and changed ones.'),
);
const updateApply = Type.Optional(
  oneOf(['enabled', 'disabled', 'auto'], 'Server-side apply; `auto` goes on as the last release was applied.'),
);
const strategy = Type.Optional(
  closed(
    {
      name: oneOf(['RemediateOnFailure', 'RetryOnFailure'], 'What a failure leads to.'),
      retryInterval: Type.Optional(duration('Time to the next try, 5m when absent; with RetryOnFailure only.')),
    },
    { description: 'What happens when the action fails.' },
  ),
);
const remediationFields = {
  retries: Type.Optional(Type.Integer({ description: 'Tries after the first failure; below 0 without limit.' })),
  ignoreTestFailures: Type.Optional(flag('A failed test is no failure; as `test.ignoreFailures` when absent.')),
  remediateLastFailure: Type.Optional(flag('Remediate after the last try as well.')),
};

export const Install = closed(
  {
    timeout,
    strategy,
    remediation: Type.Optional(closed(remediationFields, { description: 'A failed install is uninstalled.' })),
    disableTakeOwnership,
    disableWait,
    disableWaitForJobs,
    disableHooks,
    disableOpenAPIValidation,
    disableSchemaValidation,
    replace: Type.Optional(flag('Use the name again after an uninstall that kept its history.')),
    skipCRDs: Type.Optional(flag('Deprecated: use `crds: Skip`.')),
    crds,
    createNamespace: Type.Optional(flag('Create the namespace of the release when it does not exist.')),
    serverSideApply: Type.Optional(flag('Server-side apply; true when absent.')),
  },
  { description: 'How the release is installed.' },
);

export const Upgrade = closed(
  {
    timeout,
    strategy,
    remediation: Type.Optional(
      closed(
        {
          ...remediationFields,
          strategy: Type.Optional(oneOf(['rollback', 'uninstall'], 'How a failed upgrade is remediated; rollback when absent.')),
        },
        { description: 'What happens after a failed upgrade.' },
      ),
    ),
    disableTakeOwnership,
    disableWait,
    disableWaitForJobs,
    disableHooks,
    disableOpenAPIValidation,
    disableSchemaValidation,
    force: Type.Optional(flag('Replace objects that cannot be updated; client-side apply only.')),
    preserveValues: Type.Optional(flag('Keep the values of the last release under those of the definition.')),
    chartNameChangeStrategy: Type.Optional(
      oneOf(['Reinstall', 'InPlaceUpdate'], 'What another chart name leads to; Reinstall when absent.'),
    ),
    cleanupOnFail: Type.Optional(flag('Delete what a failed upgrade created.')),
    crds,
    serverSideApply: updateApply,
  },
  { description: 'How the release is upgraded.' },
);

export const Rollback = closed(
  {
    timeout,
    disableWait,
    disableWaitForJobs,
    disableHooks,
    recreate: Type.Optional(flag('Deprecated, without effect.')),
    force: Type.Optional(flag('Replace objects that cannot be updated; client-side apply only.')),
    cleanupOnFail: Type.Optional(flag('Delete what a failed rollback created.')),
    serverSideApply: updateApply,
  },
  { description: 'How a failed upgrade is rolled back.' },
);

export const Uninstall = closed(
  {
    timeout,
    disableHooks,
    keepHistory: Type.Optional(flag('Keep the records, marked as uninstalled.')),
    disableWait,
    deletionPropagation: Type.Optional(
      oneOf(['background', 'foreground', 'orphan'], 'How dependants are deleted; background when absent.'),
    ),
  },
  { description: 'How the release is uninstalled.' },
);

export const Test = closed(
  {
    enable: Type.Optional(flag('Run the tests of the chart after install and upgrade.')),
    timeout,
    ignoreFailures: Type.Optional(flag('A failed test leaves the release ready.')),
    filters: Type.Optional(
      list(
        closed({
          name: text('Name of a test.', { minLength: 1, maxLength: 253 }),
          exclude: Type.Optional(flag('Leave this one out instead of running it.')),
        }),
        'Which tests run.',
      ),
    ),
  },
  { description: 'Tests of the chart.' },
);
