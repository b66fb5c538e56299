import { isObject, type JsonObject } from '#core/json.ts';
import { accessOf, allVerbs, type Resource } from '#core/resource.ts';
import { ConfigMapBody } from './schema.ts';

const maxTotalBytes = 1_048_576;

/** core/v1 ConfigMap. */
export const resource = Object.freeze<Resource>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  singular: 'configmap',
  shortNames: ['cm'],
  categories: [],
  scope: 'Namespaced',
  verbs: allVerbs,
  subresources: [],
  columns: [
    { name: 'Data', type: 'integer', jsonPath: '.data', format: 'count', description: 'Number of keys.' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  body: ConfigMapBody,
  status: null,
  initialStatus: null,
  access: accessOf({ read: 'viewer', write: 'editor' }),
  platform: 'read',
  finalizer: null,
  fieldSelectors: [],
  secretFields: [],
  validate: checkSize,
});

function checkSize(object: JsonObject): readonly Readonly<{ field: string; message: string }>[] {
  let bytes = 0;
  for (const map of [object.data, object.binaryData]) {
    for (const value of isObject(map) ? Object.values(map) : []) bytes += typeof value === 'string' ? Buffer.byteLength(value) : 0;
  }
  return bytes > maxTotalBytes ? [{ field: '', message: `Too long: may not be more than ${maxTotalBytes} bytes` }] : [];
}
