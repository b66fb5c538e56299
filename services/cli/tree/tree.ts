import { at, type JsonObject, textAt } from '#core/json.ts';
import { refOfId } from '#core/object-id.ts';
import { objects } from '#services/cli/plane/resources.ts';
import { oneLine } from '#services/cli/term/strip.ts';
import { conditionOf } from '#services/cli/wait/not-ready.ts';

/** One node: the definition, a delivery, or an object of its inventory. The same shape as `flux tree -o json`: resource and resources. */
export type TreeNode = Readonly<{
  resource: Readonly<{
    group: string;
    kind: string;
    namespace: string;
    name: string;
    cluster?: string;
    ready?: string;
    reason?: string;
    message?: string;
    revision?: string;
  }>;
  resources: readonly TreeNode[];
}>;

/** Definition → its deliveries → what each brought to its cluster, from the Delivery objects. Pure. */
export function treeOf(definition: JsonObject, deliveries: readonly JsonObject[]): TreeNode {
  const own = deliveries.filter(
    (one) =>
      textAt(one, 'spec', 'definition', 'kind') === textAt(definition, 'kind') &&
      textAt(one, 'spec', 'definition', 'name') === textAt(definition, 'metadata', 'name'),
  );
  const sorted = own.toSorted((a, b) => (clusterOf(a) < clusterOf(b) ? -1 : 1));
  return {
    resource: nodeOf(definition),
    resources: sorted.map((delivery) => ({
      resource: { ...nodeOf(delivery), cluster: clusterOf(delivery) },
      resources: inventoryOf(delivery),
    })),
  };
}

function nodeOf(object: JsonObject): TreeNode['resource'] {
  const ready = conditionOf(object, 'Ready');
  const revision = textAt(object, 'status', 'lastAppliedRevision');
  return {
    group: (textAt(object, 'apiVersion') ?? '').split('/').slice(0, -1).join('/'),
    kind: textAt(object, 'kind') ?? '',
    namespace: textAt(object, 'metadata', 'namespace') ?? '',
    name: textAt(object, 'metadata', 'name') ?? '',
    ...(ready === null ? {} : { ready: ready.status, reason: ready.reason, message: ready.message }),
    ...(revision === undefined ? {} : { revision }),
  };
}

function clusterOf(delivery: JsonObject): string {
  return `${textAt(delivery, 'spec', 'cluster', 'namespace') ?? ''}/${textAt(delivery, 'spec', 'cluster', 'name') ?? ''}`;
}

function inventoryOf(delivery: JsonObject): readonly TreeNode[] {
  return objects(at(delivery, 'status', 'inventory', 'entries')).flatMap((entry) => {
    const ref = refOfId(textAt(entry, 'id') ?? '', textAt(entry, 'v') ?? '');
    if (ref === null) return [];
    const slash = ref.apiVersion.indexOf('/');
    return [
      {
        resource: { group: slash === -1 ? '' : ref.apiVersion.slice(0, slash), kind: ref.kind, namespace: ref.namespace, name: ref.name },
        resources: [],
      },
    ];
  });
}

/** Each node once, as kubectl names it: the definition, the deliveries, then what they brought. Pure. */
export function treeNames({ resource, resources }: TreeNode): readonly string[] {
  const name = `${resource.kind.toLowerCase()}${resource.group === '' ? '' : `.${resource.group}`}/${resource.name}`;
  return [...new Set([name, ...resources.flatMap(treeNames)])];
}

/** The tree for people. Ends with a line feed. Pure. */
export function treeText(node: TreeNode): string {
  return `${[titleOf(node), ...branches(node.resources, '')].join('\n')}\n`;
}

function branches(nodes: readonly TreeNode[], indent: string): readonly string[] {
  return nodes.flatMap((node, index) => {
    const last = index === nodes.length - 1;
    return [`${indent}${last ? '└── ' : '├── '}${titleOf(node)}`, ...branches(node.resources, `${indent}${last ? '    ' : '│   '}`)];
  });
}

function titleOf({ resource }: TreeNode): string {
  const place =
    resource.cluster === undefined
      ? `${resource.kind}/${resource.namespace === '' ? '' : `${resource.namespace}/`}${resource.name}`
      : `cluster ${resource.cluster}`;
  if (resource.ready === undefined) return oneLine(place);
  const state = resource.ready === 'True' ? 'Ready' : `${resource.reason ?? ''}: ${resource.message ?? ''}`;
  return oneLine(`${place}  ${state}${resource.revision === undefined ? '' : `  ${resource.revision}`}`);
}
