/** What a delivery does with objects: plan and watch, apply, prune. */
export const neededVerbs: readonly string[] = Object.freeze(['get', 'list', 'watch', 'create', 'patch', 'delete']);

export type Right = Readonly<{ group: string; resource: string; verbs: readonly string[] }>;

/** What the default role of a tenant account (ClusterRole `admin`, bound in its namespaces) gives, and what deliveries usually need. */
export const usualRights: readonly Right[] = Object.freeze(
  [
    ['', ['configmaps', 'secrets', 'services', 'serviceaccounts', 'persistentvolumeclaims', 'pods']],
    ['apps', ['deployments', 'statefulsets', 'daemonsets']],
    ['batch', ['jobs', 'cronjobs']],
    ['autoscaling', ['horizontalpodautoscalers']],
    ['networking.k8s.io', ['ingresses', 'networkpolicies']],
    ['policy', ['poddisruptionbudgets']],
    ['rbac.authorization.k8s.io', ['roles', 'rolebindings']],
  ].flatMap(([group, resources]) =>
    (Array.isArray(resources) ? resources : []).map((resource) => ({ group: String(group), resource, verbs: neededVerbs })),
  ),
);

/** What ClusterRole `admin` does not give: told, not counted as missing. */
export const unusualRights: readonly Right[] = Object.freeze([
  { group: '', resource: 'resourcequotas', verbs: ['create'] },
  { group: '', resource: 'limitranges', verbs: ['create'] },
]);
export const createNamespaces: Right = Object.freeze({ group: '', resource: 'namespaces', verbs: ['create'] });
