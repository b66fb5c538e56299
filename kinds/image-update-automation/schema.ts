import Type, { type Static } from 'typebox';
import { ConditionSchema, closed, duration, flag, list, nameRef, oneOf, text, textMap } from '#core/schema.ts';

/** Spec and status of Flux's ImageUpdateAutomation v1, field by field (definitions.md 5.3; fluxcd/image-automation-controller config/crd/bases). Nothing is added. */

const CheckoutRef = closed(
  {
    branch: Type.Optional(text('Branch to begin from.')),
    tag: Type.Optional(text('Tag to begin from; wins over branch.')),
    semver: Type.Optional(text('Range of versions; wins over tag.')),
    name: Type.Optional(text('Full reference name to begin from; wins over branch, tag and semver.')),
    commit: Type.Optional(text('Commit to begin from; wins over all.')),
  },
  { description: 'Where to begin.' },
);

const Commit = closed(
  {
    author: closed(
      { name: Type.Optional(text('Name of the author.')), email: text('E-mail address of the author.') },
      { description: 'Author and committer.' },
    ),
    signingKey: Type.Optional(
      closed(
        {
          secretRef: nameRef('Secret with the key.'),
          type: Type.Optional(oneOf(['gpg', 'ssh'], 'Kind of the key.', { default: 'gpg' })),
        },
        { description: 'Key that signs the commits.' },
      ),
    ),
    messageTemplate: Type.Optional(text('Go template of the message.')),
    messageTemplateValues: Type.Optional(textMap('What `.Values` holds in the template.')),
  },
  { description: 'What commits look like.' },
);

const Push = closed(
  {
    branch: Type.Optional(
      text('Branch that gets the commits; that of the checkout when absent. Made from the checkout when it does not exist.'),
    ),
    refspec: Type.Optional(text('Refspec to push as well; never a deletion, never by force.', { pattern: '^$|^[^+:]' })),
    options: Type.Optional(textMap('Push options for the server.')),
  },
  { description: 'Where commits go.' },
);

const Requirement = closed(
  {
    key: text('Key of the label.'),
    operator: text('In, NotIn, Exists or DoesNotExist.'),
    values: Type.Optional(list(Type.String(), 'Values, for In and NotIn.')),
  },
  { description: 'One requirement.' },
);

export const ImageUpdateAutomationSpec = closed(
  {
    sourceRef: closed(
      {
        apiVersion: Type.Optional(text('API version of the source.')),
        kind: oneOf(['GitRepository'], 'Kind of the source.', { default: 'GitRepository' }),
        name: text('Name of the source.'),
        namespace: Type.Optional(text('Namespace of the source; the own one when absent.')),
      },
      { description: 'GitRepository whose URL and credential are used.' },
    ),
    git: Type.Optional(
      closed(
        {
          checkout: Type.Optional(closed({ ref: CheckoutRef }, { description: 'Where to begin; where the GitRepository is when absent.' })),
          commit: Commit,
          push: Type.Optional(Push),
        },
        { description: 'How commits are made; needed in practice.' },
      ),
    ),
    interval: duration('Time between looks.'),
    policySelector: Type.Optional(
      closed(
        {
          matchLabels: Type.Optional(textMap('Labels with their values.')),
          matchExpressions: Type.Optional(list(Requirement, 'Requirements; all must hold.')),
        },
        { description: 'Which policies of the namespace count; all when absent.' },
      ),
    ),
    update: Type.Optional(
      closed(
        {
          strategy: Type.Optional(oneOf(['Setters'], 'How files are changed.', { default: 'Setters' })),
          path: Type.Optional(text('Folder to change; the whole repository when absent.')),
        },
        { description: 'What is changed.' },
      ),
    ),
    suspend: Type.Optional(flag('Stop committing.')),
  },
  { description: 'Writes what policies chose into a Git repository.' },
);
export type ImageUpdateAutomationSpec = Static<typeof ImageUpdateAutomationSpec>;

const ImageRef = closed(
  {
    name: text('The image, without tag and digest.'),
    tag: text('The tag.'),
    digest: Type.Optional(text('Digest of the tag.')),
  },
  { description: 'An image.' },
);

export const ImageUpdateAutomationStatus = closed({
  observedGeneration: Type.Optional(
    Type.Integer({ description: 'Last generation that became ready or stalled; -1 before the first run.' }),
  ),
  conditions: Type.Optional(list(ConditionSchema, 'Ready, Reconciling, Stalled.')),
  lastHandledReconcileAt: Type.Optional(text('The value of reconcile.fluxcd.io/requestedAt that was handled last.')),
  lastAutomationRunTime: Type.Optional(text('When files were looked through last, RFC 3339.')),
  lastPushCommit: Type.Optional(text('Newest commit of this automation.')),
  lastPushTime: Type.Optional(text('When it was pushed, RFC 3339.')),
  observedPolicies: Type.Optional(
    Type.Record(Type.String(), ImageRef, { description: 'Policies and their choice at the last look through the files.' }),
  ),
  observedSourceRevision: Type.Optional(text('Branch and commit at the last look through the files.')),
});
export type ImageUpdateAutomationStatus = Static<typeof ImageUpdateAutomationStatus>;
export type Policies = NonNullable<ImageUpdateAutomationStatus['observedPolicies']>;

export const ImageUpdateAutomationBody = closed({ spec: Type.Optional(ImageUpdateAutomationSpec) });
