import Type, { type Static } from 'typebox';
import { ConditionSchema, closed, duration, flag, list, nameRef, oneOf, Selector, text, textMap } from '#core/schema.ts';

/** Spec and status of Flux's Kustomization v1, field by field (definitions.md section 3). Nothing is added: Weir's extensions stand beside it (Placement). */

const CrossReference = closed({
  apiVersion: Type.Optional(text('API version of the referent.')),
  kind: oneOf(['OCIRepository', 'GitRepository', 'Bucket', 'ExternalArtifact'], 'Kind of the source.'),
  name: text('Name of the source.'),
  namespace: Type.Optional(text('Namespace of the source; the Kustomization’s own when absent. It must belong to the same tenant.')),
});

const ObjectReference = closed({
  apiVersion: Type.Optional(text('API version of the referent.')),
  kind: text('Kind of the referent.'),
  name: text('Name of the referent.'),
  namespace: Type.Optional(text('Namespace of the referent; the target namespace when absent.')),
});

const Patch = closed({
  patch: text('A strategic merge patch or a list of JSON 6902 operations, as YAML or JSON text.'),
  target: Type.Optional(Selector),
});

const Image = closed({
  name: text('Image name to look for.'),
  newName: Type.Optional(text('Replaces the name.')),
  newTag: Type.Optional(text('Replaces the tag.')),
  digest: Type.Optional(text('Replaces the tag by a digest; wins over newTag.')),
});

const SubstituteReference = closed({
  kind: oneOf(['Secret', 'ConfigMap'], 'Kind of the object with the variables.'),
  name: text('Name of the object, in the Kustomization’s namespace.', { minLength: 1, maxLength: 253 }),
  optional: Type.Optional(flag('Go on without it when it does not exist.', { default: false })),
});

const Dependency = closed({
  name: text('Name of a Kustomization that must be ready first.'),
  namespace: Type.Optional(text('Its namespace; the own one when absent.')),
  readyExpr: Type.Optional(text('CEL over `self` and `dep` that replaces the built-in readiness check.')),
});

const HealthExpression = closed({
  apiVersion: text('API version the expressions are for.'),
  kind: Type.Optional(text('Kind the expressions are for; all kinds of the group when absent.')),
  current: text('CEL: true when the object is as it should be.'),
  inProgress: Type.Optional(text('CEL: true while the object is still changing.')),
  failed: Type.Optional(text('CEL: true when the object failed.')),
});

export const KustomizationSpec = closed(
  {
    sourceRef: CrossReference,
    path: Type.Optional(text('Folder of the source with the manifests; the root when absent.')),
    interval: duration('Time between full runs.'),
    retryInterval: Type.Optional(duration('Time to the next try after a failure; `interval` when absent.')),
    timeout: Type.Optional(duration('Limit for one run including waiting; `interval` minus 30 s, at least 30 s, when absent.')),
    suspend: Type.Optional(flag('Start no new runs.')),
    prune: flag('Delete what left the source.'),
    deletionPolicy: Type.Optional(
      oneOf(['MirrorPrune', 'Delete', 'WaitForTermination', 'Orphan'], 'What deleting the Kustomization does to its objects.'),
    ),
    force: Type.Optional(flag('Recreate objects whose immutable fields changed.', { default: false })),
    wait: Type.Optional(flag('Wait until every applied object is ready; then healthChecks is not used.')),
    healthChecks: Type.Optional(list(ObjectReference, 'Objects to wait for.')),
    healthCheckExprs: Type.Optional(list(HealthExpression, 'CEL health rules for kinds that have no built-in one.')),
    dependsOn: Type.Optional(list(Dependency, 'Kustomizations that must be ready first.')),
    serviceAccountName: Type.Optional(text('Account to act as on the target cluster; it must be registered by a ClusterAccount.')),
    kubeConfig: Type.Optional(
      closed({
        secretRef: Type.Optional(
          closed({
            name: text('Name of the Secret.'),
            key: Type.Optional(text('Key of the kubeconfig; `value`, then `value.yaml`, when absent.')),
          }),
        ),
        configMapRef: Type.Optional(nameRef('ConfigMap with the settings of a cloud login.')),
      }),
    ),
    targetNamespace: Type.Optional(text('Sets or replaces the namespace of every object.', { minLength: 1, maxLength: 63 })),
    namePrefix: Type.Optional(text('Put before every name.', { minLength: 1, maxLength: 200 })),
    nameSuffix: Type.Optional(text('Put after every name.', { minLength: 1, maxLength: 200 })),
    commonMetadata: Type.Optional(
      closed({ labels: Type.Optional(textMap('Set on every object.')), annotations: Type.Optional(textMap('Set on every object.')) }),
    ),
    patches: Type.Optional(list(Patch, 'Patches, appended to those of the file.')),
    images: Type.Optional(list(Image, 'Image replacements, merged into the entry of the same name.')),
    components: Type.Optional(list(Type.String(), 'Component folders, appended to those of the file.')),
    ignoreMissingComponents: Type.Optional(flag('Skip component folders that do not exist.')),
    buildMetadata: Type.Optional(
      list(
        oneOf(['originAnnotations', 'transformerAnnotations'], 'What the build notes on each object.'),
        'Replaces the list of the file.',
      ),
    ),
    postBuild: Type.Optional(
      closed({
        substitute: Type.Optional(textMap('Variables; win over substituteFrom.')),
        substituteFrom: Type.Optional(list(SubstituteReference, 'Objects whose keys are variables; later entries win.')),
        substituteStrategy: Type.Optional(
          oneOf(['WithVariables', 'Always'], 'WithVariables skips the step when no variable exists at all.'),
        ),
      }),
    ),
    decryption: Type.Optional(
      closed({
        provider: oneOf(['sops'], 'How the files are encrypted.'),
        secretRef: Type.Optional(nameRef('Secret with the keys.')),
        serviceAccountName: Type.Optional(text('Account for cloud key services.')),
      }),
    ),
    ignore: Type.Optional(
      list(
        closed({ paths: list(Type.String(), 'JSON pointers.', { minItems: 1 }), target: Type.Optional(Selector) }),
        'Fields left to others.',
      ),
    ),
  },
  { description: 'Where the manifests come from, how they are built, and how they are applied.' },
);
export type KustomizationSpec = Static<typeof KustomizationSpec>;

const InventoryStatus = closed({
  entries: list(
    closed({ id: text('`<namespace>_<name>_<group>_<kind>`.'), v: text('API version of the object.') }),
    'Objects applied and not confirmed deleted.',
  ),
});

const Snapshot = closed({
  digest: text('Digest of the rendered objects.'),
  firstReconciled: text('RFC 3339.'),
  lastReconciled: text('RFC 3339.'),
  lastReconciledDuration: Type.Optional(text('Duration.')),
  lastReconciledStatus: text('Reason of the Ready condition.'),
  totalReconciliations: Type.Integer({ minimum: 0 }),
  metadata: Type.Optional(textMap('Revisions.')),
});

/**
 * Status of a Kustomization on one cluster. The last five fields are the delivery's own; the fold takes them away before the status is shown on the
 * Kustomization.
 */
export const KustomizationStatus = closed({
  observedGeneration: Type.Optional(
    Type.Integer({ description: 'Last generation that became ready or stalled; -1 before the first run.' }),
  ),
  conditions: Type.Optional(list(ConditionSchema, 'Ready, Healthy, Reconciling, Stalled.')),
  lastHandledReconcileAt: Type.Optional(text('The value of reconcile.fluxcd.io/requestedAt that was handled last.')),
  lastAppliedRevision: Type.Optional(text('Revision of the source that was applied last.')),
  lastAppliedOriginRevision: Type.Optional(text('Origin revision of the artifact that was applied last.')),
  lastAttemptedRevision: Type.Optional(text('Revision of the source that was tried last.')),
  inventory: Type.Optional(InventoryStatus),
  history: Type.Optional(list(Snapshot, 'Newest first, at most five.')),
  renderDigest: Type.Optional(text('Digest of the objects of the last complete apply.')),
  healthSince: Type.Optional(closed({ digest: text('What is being waited for.'), sinceMs: Type.Integer() })),
  lastFullCheckMs: Type.Optional(Type.Integer({ description: 'When every object was last compared by a dry run.' })),
  prunePlan: Type.Optional(closed({ digest: text('Digest to approve.'), count: Type.Integer(), reason: text('Why it waits.') })),
  driftMode: Type.Optional(
    oneOf(['watch', 'list'], 'How drift is seen: by watches, or by one metadata list per interval beyond the budget.'),
  ),
});
export type KustomizationStatus = Static<typeof KustomizationStatus>;
