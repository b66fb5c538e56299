import Type, { type TObject, type TProperties, type TSchema } from 'typebox';
import { DURATION_PATTERN, DURATION_PATTERN_NO_HOURS } from './duration.ts';

/** Building blocks of kind schemas. Schemas are closed: an unknown field is refused or dropped by the rules of `fieldValidation`, never kept in silence. */

export function closed<P extends TProperties>(properties: P, options: Readonly<{ description?: string }> = {}): TObject<P> {
  return Type.Object(properties, { additionalProperties: false, ...options });
}

export function text(
  description: string,
  options: Readonly<{ minLength?: number; maxLength?: number; pattern?: string; default?: string; enum?: readonly string[] }> = {},
) {
  return Type.String({ description, ...options });
}

/** One of a few texts. `enum` gives one error for the whole list, where a union gives one per literal (libraries.md section 3). */
export function oneOf<const V extends readonly string[]>(values: V, description: string, options: Readonly<{ default?: V[number] }> = {}) {
  return Type.Unsafe<V[number]>({ type: 'string', enum: [...values], description, ...options });
}

export function duration(description: string, options: Readonly<{ default?: string }> = {}) {
  return Type.String({ description, pattern: DURATION_PATTERN, ...options });
}

export function durationNoHours(description: string, options: Readonly<{ default?: string }> = {}) {
  return Type.String({ description, pattern: DURATION_PATTERN_NO_HOURS, ...options });
}

export function flag(description: string, options: Readonly<{ default?: boolean }> = {}) {
  return Type.Boolean({ description, ...options });
}

export function textMap(description: string) {
  return Type.Record(Type.String(), Type.String(), { description });
}

export function list<S extends TSchema>(items: S, description: string, options: Readonly<{ maxItems?: number; minItems?: number }> = {}) {
  return Type.Array(items, { description, ...options });
}

/** A reference by name within the object's own namespace. */
export function nameRef(description: string) {
  return closed({ name: text('Name of the referent.') }, { description });
}

/** metav1.Condition as Flux writes it. */
export const ConditionSchema = closed(
  {
    type: text('Type of the condition.'),
    status: oneOf(['True', 'False', 'Unknown'], 'Status of the condition.'),
    reason: text('Machine-readable reason of the last transition.'),
    message: text('What happened, for people.'),
    observedGeneration: Type.Optional(Type.Integer({ description: 'Generation the condition was made for.', minimum: 0 })),
    lastTransitionTime: text('When the status last changed, RFC 3339.'),
  },
  { description: 'One aspect of the current state.' },
);

/** Which objects a patch or rule is for: Flux's kustomize selector. */
export const Selector = closed(
  {
    group: Type.Optional(text('API group, an anchored regular expression.')),
    version: Type.Optional(text('API version, an anchored regular expression.')),
    kind: Type.Optional(text('Kind, an anchored regular expression.')),
    name: Type.Optional(text('Name, an anchored regular expression.')),
    namespace: Type.Optional(text('Namespace, an anchored regular expression.')),
    labelSelector: Type.Optional(text('Label selector that the target must match.')),
    annotationSelector: Type.Optional(text('Annotation selector that the target must match.')),
  },
  { description: 'Which objects are meant; all given keys must match.' },
);

const DIGEST_PATTERN = '^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$';

/** Flux's meta Artifact, as every source shows it (definitions.md 1.7); the sentences say what revision and metadata are here. */
export function artifactStatus(about: Readonly<{ description: string; revision: string; metadata?: string }>) {
  return closed(
    {
      path: text('Path of the artifact below the storage root.'),
      url: text('Address of the artifact inside the plane.'),
      revision: text(about.revision),
      digest: text('Digest of the file.', { pattern: DIGEST_PATTERN }),
      lastUpdateTime: text('When it was stored, RFC 3339.'),
      size: Type.Optional(Type.Integer({ description: 'Bytes of the file.', format: 'int64' })),
      metadata: Type.Optional(textMap(about.metadata ?? 'Facts from the source.')),
    },
    { description: about.description },
  );
}
