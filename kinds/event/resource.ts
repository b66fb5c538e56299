import { type JsonObject, textAt } from '#core/json.ts';
import { allVerbs, type Resource } from '#core/resource.ts';
import { EventBody } from './schema.ts';

/** core/v1 Event (kube-api.md 7.3). */
export const resource = Object.freeze<Resource>({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  shortNames: ['ev'],
  categories: [],
  scope: 'Namespaced',
  verbs: allVerbs,
  subresources: [],
  columns: [
    { name: 'Last Seen', type: 'date', jsonPath: '.lastTimestamp', description: 'When it was seen last.' },
    { name: 'Type', type: 'string', jsonPath: '.type', description: 'Normal or Warning.' },
    { name: 'Reason', type: 'string', jsonPath: '.reason', description: 'Short machine-readable cause.' },
    {
      name: 'Object',
      type: 'string',
      jsonPath: '{.involvedObject.kind}/{.involvedObject.name}',
      description: 'The object that the event is about.',
    },
    { name: 'Source', type: 'string', jsonPath: '.source.component', priority: 1 },
    { name: 'Message', type: 'string', jsonPath: '.message', description: 'What happened.' },
    { name: 'First Seen', type: 'date', jsonPath: '.firstTimestamp', priority: 1 },
    { name: 'Count', type: 'string', jsonPath: '.count', priority: 1 },
  ],
  body: EventBody,
  status: null,
  initialStatus: null,
  access: {
    get: 'viewer',
    list: 'viewer',
    watch: 'viewer',
    create: 'editor',
    update: 'editor',
    patch: 'editor',
    delete: 'admin',
    deletecollection: 'admin',
  },
  platform: 'read',
  finalizer: null,
  fieldSelectors: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'type',
    'source',
    'reportingComponent',
  ],
  secretFields: [],
  validate: checkNamespace,
});

/** An event stands beside what it is about, so that nobody reports on strangers. */
function checkNamespace(object: JsonObject): readonly Readonly<{ field: string; message: string }>[] {
  const own = textAt(object, 'metadata', 'namespace');
  const about = textAt(object, 'involvedObject', 'namespace');
  if (about === undefined || about === '' || about === own) return [];
  return [{ field: 'involvedObject.namespace', message: `does not match event.namespace: ${own ?? ''}` }];
}
