import Type, { type Static } from 'typebox';
import { ConditionSchema, closed, list, oneOf, text } from '#core/schema.ts';

/** Status of Flux's HelmRelease v2 (definitions.md 4.5). */

const TestHook = closed({
  lastStarted: Type.Optional(text('RFC 3339.')),
  lastCompleted: Type.Optional(text('RFC 3339.')),
  phase: Type.Optional(text('Succeeded, Failed, Running or Unknown.')),
});

export const Snapshot = closed(
  {
    apiVersion: Type.Optional(text('Version of how the digests are made: v3, keyed with a key of the tenant; v2, plain.')),
    digest: text('Digest of the record.'),
    name: text('Name of the release.'),
    namespace: text('Namespace of the release.'),
    version: Type.Integer({ description: 'Version of the record.' }),
    status: text('Status of the record.'),
    chartName: text('Name of the chart.'),
    chartVersion: text('Version of the chart.'),
    appVersion: Type.Optional(text('Version of the application in the chart.')),
    configDigest: text('Digest of the values.'),
    firstDeployed: text('RFC 3339.'),
    lastDeployed: text('RFC 3339.'),
    deleted: Type.Optional(text('RFC 3339.')),
    testHooks: Type.Optional(Type.Record(Type.String(), TestHook, { description: 'Tests that ran for this record.' })),
    ociDigest: Type.Optional(text('Digest of the OCI artifact of the chart.')),
    action: Type.Optional(text('Action that made the record.')),
  },
  { description: 'One record of the release, as it was seen last.' },
);
export type Snapshot = Static<typeof Snapshot>;

/** The fields after `lastReleaseRevision` are the delivery's own; the fold takes them away before the status is shown on the HelmRelease. */
export const HelmReleaseStatus = closed({
  observedGeneration: Type.Optional(
    Type.Integer({ description: 'Last generation that became ready or stalled; -1 before the first run.' }),
  ),
  observedPostRenderersDigest: Type.Optional(text('Digest of the post-renderers of the last release.')),
  observedCommonMetadataDigest: Type.Optional(text('Digest of the common metadata of the last release.')),
  lastAttemptedGeneration: Type.Optional(Type.Integer({ description: 'Generation that was tried last.' })),
  conditions: Type.Optional(list(ConditionSchema, 'Ready, Released, TestSuccess, Remediated, Drifted, Reconciling, Stalled.')),
  helmChart: Type.Optional(text('The HelmChart that was made for this release, `namespace/name`.')),
  storageNamespace: Type.Optional(text('Namespace of the records in use.')),
  history: Type.Optional(list(Snapshot, 'Newest first, back to the last good release.')),
  inventory: Type.Optional(
    closed({
      entries: list(
        closed({ id: text('`<namespace>_<name>_<group>_<kind>`.'), v: text('API version of the object.') }),
        'Objects of the release and its CRDs.',
      ),
    }),
  ),
  lastAttemptedReleaseAction: Type.Optional(oneOf(['install', 'upgrade'], 'What was tried last.')),
  lastAttemptedReleaseActionDuration: Type.Optional(text('How long it took.')),
  failures: Type.Optional(Type.Integer({ description: 'Failures since the last good release.' })),
  installFailures: Type.Optional(Type.Integer({ description: 'Failed installs since the last change.' })),
  upgradeFailures: Type.Optional(Type.Integer({ description: 'Failed upgrades since the last change.' })),
  lastAttemptedRevision: Type.Optional(text('Chart version that was tried last.')),
  lastAttemptedRevisionDigest: Type.Optional(text('Digest of the OCI artifact that was tried last.')),
  lastAttemptedValuesChecksum: Type.Optional(text('Deprecated.')),
  lastReleaseRevision: Type.Optional(Type.Integer({ description: 'Deprecated.' })),
  lastAttemptedConfigDigest: Type.Optional(text('Digest of the values that were tried last.')),
  lastHandledReconcileAt: Type.Optional(text('The value of reconcile.fluxcd.io/requestedAt that was handled last.')),
  lastHandledForceAt: Type.Optional(text('The value of reconcile.fluxcd.io/forceAt that was handled last.')),
  lastHandledResetAt: Type.Optional(text('The value of reconcile.fluxcd.io/resetAt that was handled last.')),
  applied: Type.Optional(
    closed(
      {
        inputDigest: text('Digest of everything that decided.'),
        record: text('uid and version of the record, as last seen.'),
        name: text('Name of the release.'),
        namespace: text('Its namespace.'),
      },
      { description: 'What the last look found to be in sync.' },
    ),
  ),
  lastFullCheckMs: Type.Optional(Type.Integer({ description: 'When the records were read last.' })),
});
export type HelmReleaseStatus = Static<typeof HelmReleaseStatus>;
