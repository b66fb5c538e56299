import Type, { type Static } from 'typebox';
import { ConditionSchema, closed, duration, flag, list, oneOf, text } from '#core/schema.ts';

/** Spec and status of Flux's ImagePolicy v1, field by field (definitions.md 5.2; fluxcd/image-reflector-controller config/crd/bases). Nothing is added. */

const Order = (description: string) => Type.Optional(oneOf(['asc', 'desc'], description, { default: 'asc' }));

const Choice = closed(
  {
    semver: Type.Optional(
      closed(
        { range: text('Range of versions, such as `1.x` or `>=1.0.0-0`.') },
        { description: 'The highest version in a range; wins over the others.' },
      ),
    ),
    alphabetical: Type.Optional(
      closed({ order: Order('`asc` picks the last letter.') }, { description: 'The last in the order of text; wins over numerical.' }),
    ),
    numerical: Type.Optional(closed({ order: Order('`asc` picks the largest.') }, { description: 'The last in the order of numbers.' })),
  },
  { description: 'How the tag is chosen: one of the three.' },
);

const FilterTags = closed(
  {
    pattern: Type.Optional(text('Regular expression (RE2); only tags in which it is found count.')),
    extract: Type.Optional(text('Replacement such as `$ts`, made of the groups of `pattern`, that is ordered in place of the tag.')),
  },
  { description: 'Which tags count, and what of them is ordered.' },
);

const ImageRef = closed(
  {
    name: text('The image, without tag and digest.'),
    tag: text('The tag.'),
    digest: Type.Optional(text('Digest that the tag stood for.')),
  },
  { description: 'An image.' },
);

export const ImagePolicySpec = closed(
  {
    imageRepositoryRef: closed(
      {
        name: text('Name of the ImageRepository.'),
        namespace: Type.Optional(text('Namespace of the ImageRepository; the own one when absent.')),
      },
      { description: 'ImageRepository whose tags are chosen among.' },
    ),
    policy: Choice,
    filterTags: Type.Optional(FilterTags),
    digestReflectionPolicy: Type.Optional(
      oneOf(['Always', 'IfNotPresent', 'Never'], 'Whether the digest is looked up: never, once per tag, or at each interval.', {
        default: 'Never',
      }),
    ),
    interval: Type.Optional(duration('Time between look-ups of the digest; with `Always` only, and required there.')),
    suspend: Type.Optional(flag('Stop choosing; the last choice stays.')),
  },
  { description: 'Which tag of an image repository is the latest.' },
);
export type ImagePolicySpec = Static<typeof ImagePolicySpec>;

export const ImagePolicyStatus = closed({
  observedGeneration: Type.Optional(
    Type.Integer({ description: 'Last generation that became ready or stalled; -1 before the first run.' }),
  ),
  conditions: Type.Optional(list(ConditionSchema, 'Ready, Reconciling, Stalled.')),
  lastHandledReconcileAt: Type.Optional(text('The value of reconcile.fluxcd.io/requestedAt that was handled last.')),
  latestRef: Type.Optional(ImageRef),
  observedPreviousRef: Type.Optional(ImageRef),
});
export type ImagePolicyStatus = Static<typeof ImagePolicyStatus>;
export type ImageRef = Static<typeof ImageRef>;

export const ImagePolicyBody = closed({ spec: Type.Optional(ImagePolicySpec) });
