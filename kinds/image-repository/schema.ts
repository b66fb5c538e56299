import Type, { type Static } from 'typebox';
import { ConditionSchema, closed, duration, durationNoHours, flag, list, nameRef, oneOf, text, textMap } from '#core/schema.ts';

/** Spec and status of Flux's ImageRepository v1, field by field (definitions.md 5.1; fluxcd/image-reflector-controller config/crd/bases). Nothing is added. */

const AccessFrom = closed(
  {
    namespaceSelectors: list(
      closed(
        { matchLabels: Type.Optional(textMap('Labels that the namespace must have; none means every namespace.')) },
        { description: 'Labels of namespaces.' },
      ),
      'Namespaces whose policies may use this repository; entries are alternatives.',
    ),
  },
  { description: 'Which other namespaces may use this repository.' },
);

export const ImageRepositorySpec = closed(
  {
    image: text('Image repository without scheme, tag or digest, such as `ghcr.io/team/app`.'),
    interval: duration('Time between scans.'),
    timeout: Type.Optional(durationNoHours('Limit for one scan; `interval` when absent.')),
    secretRef: Type.Optional(nameRef('Secret of type kubernetes.io/dockerconfigjson with the login.')),
    proxySecretRef: Type.Optional(nameRef('Secret with the proxy to use.')),
    serviceAccountName: Type.Optional(text('Account whose image pull secrets log in.', { maxLength: 253 })),
    certSecretRef: Type.Optional(nameRef('Secret with `ca.crt`, and `tls.crt` with `tls.key`.')),
    suspend: Type.Optional(flag('Stop scanning; the tags stay.')),
    accessFrom: Type.Optional(AccessFrom),
    exclusionList: Type.Optional(
      list(Type.String(), 'Regular expressions (RE2) of tags to leave out; signatures (`^.*\\.sig$`) when absent.', { maxItems: 25 }),
    ),
    provider: Type.Optional(oneOf(['generic', 'aws', 'azure', 'gcp'], 'How to log in; `generic` when absent.', { default: 'generic' })),
    insecure: Type.Optional(flag('Plain HTTP; only for hosts that the operator allows.')),
  },
  { description: 'An image repository whose tags are scanned.' },
);
export type ImageRepositorySpec = Static<typeof ImageRepositorySpec>;

export const ImageRepositoryStatus = closed({
  observedGeneration: Type.Optional(
    Type.Integer({ description: 'Last generation that became ready or stalled; -1 before the first run.' }),
  ),
  conditions: Type.Optional(list(ConditionSchema, 'Ready, Reconciling, Stalled.')),
  lastHandledReconcileAt: Type.Optional(text('The value of reconcile.fluxcd.io/requestedAt that was handled last.')),
  canonicalImageName: Type.Optional(text('The image with registry host and implied parts filled in.')),
  lastScanResult: Type.Optional(
    closed(
      {
        tagCount: Type.Integer({ description: 'Tags found, without the excluded ones.' }),
        scanTime: Type.Optional(text('When the scan that found these tags ended, RFC 3339.')),
        revision: Type.Optional(text('Digest of the tags.')),
        latestTags: Type.Optional(list(Type.String(), 'Ten tags, in descending order of text.')),
      },
      { description: 'What the last scan found that differed from the one before.' },
    ),
  ),
  observedExclusionList: Type.Optional(list(Type.String(), '`exclusionList` of the last scan.')),
});
export type ImageRepositoryStatus = Static<typeof ImageRepositoryStatus>;

export const ImageRepositoryBody = closed({ spec: Type.Optional(ImageRepositorySpec) });
