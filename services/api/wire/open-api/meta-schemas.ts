import type { JsonObject } from '#core/json.ts';

const text = (description: string): JsonObject => ({ type: 'string', description });
const texts = (description: string): JsonObject => ({ type: 'object', additionalProperties: { type: 'string' }, description });

/** Shared components: metadata of objects and lists, options of a deletion, Status. */
export const metaSchemas: Readonly<Record<string, JsonObject>> = Object.freeze({
  'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta': {
    type: 'object',
    description: 'Metadata that all objects have.',
    properties: {
      annotations: texts('Free data of tools; at most 256 KiB together.'),
      creationTimestamp: { type: 'string', format: 'date-time', description: 'When the object was made.' },
      deletionGracePeriodSeconds: { type: 'integer', format: 'int64', description: 'Always 0.' },
      deletionTimestamp: { type: 'string', format: 'date-time', description: 'When its deletion was asked for.' },
      finalizers: {
        type: 'array',
        items: { type: 'string' },
        description: 'Who has to finish before the object goes.',
        'x-kubernetes-list-type': 'set',
        'x-kubernetes-patch-strategy': 'merge',
      },
      generateName: text('Beginning of a name that the server completes.'),
      generation: { type: 'integer', format: 'int64', description: 'Counts changes of the desired state.' },
      labels: texts('Keys and values for selection.'),
      managedFields: { type: 'array', items: { type: 'object' }, description: 'Who set which field.', 'x-kubernetes-list-type': 'atomic' },
      name: text('Name, unique within the namespace and kind.'),
      namespace: text('Namespace of the plane.'),
      ownerReferences: {
        type: 'array',
        items: { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference' },
        description: 'Objects whose deletion deletes this one.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['uid'],
        'x-kubernetes-patch-merge-key': 'uid',
        'x-kubernetes-patch-strategy': 'merge',
      },
      resourceVersion: text('Version of this state; opaque.'),
      selfLink: text('Not set.'),
      uid: text('Identity of the object, never used twice.'),
    },
  },
  'io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference': {
    type: 'object',
    description: 'An owner in the same namespace.',
    required: ['apiVersion', 'kind', 'name', 'uid'],
    properties: {
      apiVersion: text('API version of the owner.'),
      blockOwnerDeletion: { type: 'boolean', description: 'Kept, not acted upon.' },
      controller: { type: 'boolean', description: 'Whether this owner manages the object.' },
      kind: text('Kind of the owner.'),
      name: text('Name of the owner.'),
      uid: text('Identity of the owner.'),
    },
    'x-kubernetes-map-type': 'atomic',
  },
  'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta': {
    type: 'object',
    description: 'Metadata of lists.',
    properties: {
      continue: text('Gets the next page.'),
      remainingItemCount: { type: 'integer', format: 'int64', description: 'How many follow.' },
      resourceVersion: text('Version of the snapshot that was listed.'),
      selfLink: text('Not set.'),
    },
  },
  'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions': {
    type: 'object',
    description: 'Options of a deletion.',
    properties: {
      apiVersion: text('v1'),
      kind: text('DeleteOptions'),
      dryRun: { type: 'array', items: { type: 'string' }, description: 'All: nothing is stored.', 'x-kubernetes-list-type': 'atomic' },
      gracePeriodSeconds: { type: 'integer', format: 'int64', description: 'Ignored.' },
      propagationPolicy: text('Background or Foreground.'),
      preconditions: {
        type: 'object',
        description: 'What must hold.',
        properties: { uid: text('Identity.'), resourceVersion: text('Version.') },
      },
    },
  },
  'io.k8s.apimachinery.pkg.apis.meta.v1.Patch': { type: 'object', description: 'A patch in one of the accepted types.' },
  'io.k8s.apimachinery.pkg.apis.meta.v1.Status': {
    type: 'object',
    description: 'The result of a request that has no object.',
    properties: {
      apiVersion: text('v1'),
      kind: text('Status'),
      code: { type: 'integer', format: 'int32', description: 'HTTP status.' },
      message: text('For people.'),
      reason: text('For machines.'),
      status: text('Success or Failure.'),
      metadata: { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta' },
      details: { type: 'object', description: 'Names the object and each cause.' },
    },
  },
});
