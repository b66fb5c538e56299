import Type, { type Static } from 'typebox';
import { artifactStatus, ConditionSchema, closed, duration, durationNoHours, flag, list, nameRef, oneOf, text } from '#core/schema.ts';

/** Spec and status of Flux's GitRepository v1, field by field (definitions.md 2.2; fluxcd/source-controller config/crd/bases). Nothing is added. */

const Reference = closed(
  {
    branch: Type.Optional(text('Branch to follow; `master` when nothing else is set.')),
    tag: Type.Optional(text('Tag to take; wins over branch.')),
    semver: Type.Optional(text('Range of versions; the highest tag in it is taken. Wins over tag.')),
    name: Type.Optional(text('Full reference name such as `refs/heads/main` or `refs/pull/420/head`; wins over branch, tag and semver.')),
    commit: Type.Optional(text('Commit to take; wins over all. With branch, the commit must be on that branch.')),
  },
  { description: 'What to take from the repository and to watch for changes; the branch `master` when absent.' },
);

const Include = closed(
  {
    repository: nameRef('GitRepository whose content is copied in.'),
    fromPath: Type.Optional(text('Folder to copy from; the root when absent.')),
    toPath: Type.Optional(text('Folder to copy to; the name of the repository when absent.')),
  },
  { description: 'Content of another GitRepository of the same namespace.' },
);

const Verification = closed(
  {
    mode: Type.Optional(
      oneOf(['head', 'HEAD', 'Tag', 'TagAndHEAD'], 'Which Git objects must be signed; `head` is the old spelling of HEAD.', {
        default: 'HEAD',
      }),
    ),
    secretRef: nameRef('Secret with the public keys of trusted authors.'),
  },
  { description: 'Signatures that are asked for.' },
);

export const GitRepositorySpec = closed(
  {
    url: text('Address of the repository, over HTTPS, HTTP or SSH.', { pattern: '^(http|https|ssh)://.*$' }),
    secretRef: Type.Optional(
      nameRef(
        'Secret with the credential: `username` and `password`, or `bearerToken`; `ca.crt` for a private authority; `identity` and `known_hosts` for SSH.',
      ),
    ),
    provider: Type.Optional(oneOf(['generic', 'aws', 'azure', 'github'], 'How to log in; `generic` when absent.')),
    serviceAccountName: Type.Optional(text('Account to log in with; only with provider aws or azure.')),
    interval: duration('Time between looks at the repository.'),
    timeout: Type.Optional(durationNoHours('Limit for one remote operation.', { default: '60s' })),
    ref: Type.Optional(Reference),
    verify: Type.Optional(Verification),
    proxySecretRef: Type.Optional(nameRef('Secret with the proxy to use.')),
    ignore: Type.Optional(
      text('Rules in the format of .sourceignore (as .gitignore) for what is left out; with any rule the default list no longer applies.'),
    ),
    suspend: Type.Optional(flag('Stop looking; the artifact stays.')),
    recurseSubmodules: Type.Optional(flag('Take submodules along.')),
    include: Type.Optional(list(Include, 'Content of other repositories.')),
    sparseCheckout: Type.Optional(list(Type.String(), 'Only these folders are taken.')),
  },
  { description: 'A Git repository and what is taken from it.' },
);
export type GitRepositorySpec = Static<typeof GitRepositorySpec>;

const ArtifactStatus = artifactStatus({
  description: 'Content of the repository at a revision.',
  revision: 'Readable name of what it holds, such as `main@sha1:…`.',
});

export const GitRepositoryStatus = closed({
  observedGeneration: Type.Optional(
    Type.Integer({ description: 'Last generation that became ready or stalled; -1 before the first run.' }),
  ),
  conditions: Type.Optional(
    list(
      ConditionSchema,
      'Ready, Reconciling, Stalled, ArtifactInStorage, ArtifactOutdated, FetchFailed, StorageOperationFailed, SourceVerified, IncludeUnavailable.',
    ),
  ),
  lastHandledReconcileAt: Type.Optional(text('The value of reconcile.fluxcd.io/requestedAt that was handled last.')),
  artifact: Type.Optional(ArtifactStatus),
  includedArtifacts: Type.Optional(list(ArtifactStatus, 'Artifacts of the included repositories.')),
  observedIgnore: Type.Optional(text('`ignore` of the current artifact.')),
  observedRecurseSubmodules: Type.Optional(flag('`recurseSubmodules` of the current artifact.')),
  observedInclude: Type.Optional(list(Include, '`include` of the current artifact.')),
  observedSparseCheckout: Type.Optional(list(Type.String(), '`sparseCheckout` of the current artifact.')),
  sourceVerificationMode: Type.Optional(text('`verify.mode` of the current artifact.')),
});
export type GitRepositoryStatus = Static<typeof GitRepositoryStatus>;

export const GitRepositoryBody = closed({ spec: Type.Optional(GitRepositorySpec) });
