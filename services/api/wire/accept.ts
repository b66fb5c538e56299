import { AppError } from '#core/errors.ts';
import { type MediaType, parseMediaType } from '#services/api/wire/media-type.ts';

/** How an object or a list is shown. */
export type View = Readonly<{ format: 'json' | 'yaml'; as: 'whole' | 'table' | 'metadata' | 'aggregated-discovery' }>;

const plain: View = Object.freeze({ format: 'json', as: 'whole' });
const maxEntries = 32;

/** Which views a route can answer beside the whole object in JSON or YAML. */
export type Offer = 'objects' | 'discovery' | 'plain';

/**
 * Takes the first entry of Accept that can be served, in the order written; parameters we do not know mean "next entry"
 * (kube-api.md 2.2). Throws AppError notAcceptable when none is left.
 */
export function negotiate(header: string | undefined, offer: Offer): View {
  if (header === undefined || header.trim() === '') return plain;
  for (const entry of header.split(',').slice(0, maxEntries)) {
    const parsed = parseMediaType(entry.trim().replaceAll(/ *; */g, ';'));
    const view = parsed === null ? null : viewOf(parsed, offer);
    if (view !== null) return view;
  }
  throw new AppError('notAcceptable', 'only the following media types are accepted: application/json, application/yaml');
}

function viewOf({ type, parameters }: MediaType, offer: Offer): View | null {
  const format = formatOf(type);
  if (format === null) return null;
  const wanted = new Map(parameters);
  for (const harmless of ['q', 'charset', 'stream', 'pretty']) wanted.delete(harmless);
  if (wanted.size === 0) return { format, as: 'whole' };
  return format === 'json' ? projected(wanted, offer) : null;
}

function formatOf(type: string): 'json' | 'yaml' | null {
  if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json';
  return type === 'application/yaml' ? 'yaml' : null;
}

function projected(wanted: ReadonlyMap<string, string>, offer: Offer): View | null {
  if (wanted.size !== 3) return null;
  const as = wanted.get('as');
  const from = `${wanted.get('g') ?? ''}/${wanted.get('v') ?? ''}`;
  if (offer === 'discovery' && as === 'apigroupdiscoverylist' && from === 'apidiscovery.k8s.io/v2')
    return { format: 'json', as: 'aggregated-discovery' };
  if (offer !== 'objects' || from !== 'meta.k8s.io/v1') return null;
  if (as === 'table') return { format: 'json', as: 'table' };
  return as === 'partialobjectmetadata' || as === 'partialobjectmetadatalist' ? { format: 'json', as: 'metadata' } : null;
}

/** The exact Content-Type of an answer: clients choose their decoder by it. Only aggregated discovery repeats its parameters. */
export function contentTypeOf(view: View): string {
  if (view.as === 'aggregated-discovery') return 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  return view.format === 'yaml' ? 'application/yaml' : 'application/json';
}
