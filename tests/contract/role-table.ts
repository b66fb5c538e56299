import type { Verb } from '#core/resource.ts';

/**
 * Who may do what, written by hand from design.md section 4 ("More exactly" included) and kube-api.md 12.1. The tests compare the running API with it;
 * it is never computed from the code.
 *
 * V viewer, E editor, A admin of the tenant; P platform admin who is no member. A verb that is not listed is served for nobody: 405.
 * `own`: those roles for objects that they made themselves; admins (and P, where listed) for all.
 */
export type Rights = Readonly<Partial<Record<Verb, string>>>;
export type Row = Readonly<{ plural: string; rights: Rights; own?: true; subresources?: Readonly<Record<string, Rights>> }>;

const reads = (who: string): Rights => ({ get: who, list: who, watch: who });
const changes = (who: string): Rights => ({ create: who, update: who, patch: who, delete: who, deletecollection: who });
const status: Readonly<Record<string, Rights>> = { status: { get: 'VEAP' } };

export const roleTable: readonly Row[] = [
  // Viewers read everything of the tenant but Secrets and tokens; editors write definitions, ConfigMaps, Placements.
  { plural: 'gitrepositories', rights: { ...reads('VEAP'), ...changes('EA') }, subresources: status },
  { plural: 'buckets', rights: { ...reads('VEAP'), ...changes('EA') }, subresources: status },
  { plural: 'helmrepositories', rights: { ...reads('VEAP'), ...changes('EA') }, subresources: status },
  { plural: 'helmcharts', rights: { ...reads('VEAP'), ...changes('EA') }, subresources: status },
  { plural: 'ocirepositories', rights: { ...reads('VEAP'), ...changes('EA') }, subresources: status },
  { plural: 'externalartifacts', rights: { ...reads('VEAP'), ...changes('EA') }, subresources: status },
  { plural: 'artifactgenerators', rights: { ...reads('VEAP'), ...changes('EA') }, subresources: status },
  // A preview asks clusters as the tenant's account: it belongs to who may write the definition.
  { plural: 'helmreleases', rights: { ...reads('VEAP'), ...changes('EA') }, subresources: { ...status, diff: { create: 'EA' } } },
  { plural: 'imagerepositories', rights: { ...reads('VEAP'), ...changes('EA') }, subresources: { ...status, tags: { get: 'VEAP' } } },
  { plural: 'imagepolicies', rights: { ...reads('VEAP'), ...changes('EA') }, subresources: { ...status, choice: { get: 'VEAP' } } },
  { plural: 'imageupdateautomations', rights: { ...reads('VEAP'), ...changes('EA') }, subresources: status },
  { plural: 'pullrequestpolicies', rights: { ...reads('VEAP'), ...changes('EA') }, subresources: status },
  {
    plural: 'kustomizations',
    rights: { ...reads('VEAP'), ...changes('EA') },
    subresources: { ...status, diff: { create: 'EA' }, history: { get: 'VEAP' } },
  },
  { plural: 'receivers', rights: { ...reads('VEAP'), ...changes('EA') }, subresources: status },
  { plural: 'placements', rights: { ...reads('VEAP'), ...changes('EA') } },
  { plural: 'configmaps', rights: { ...reads('VEAP'), ...changes('EA') } },
  // Editors write Secrets without reading them; a platform admin is refused get, list and watch.
  { plural: 'secrets', rights: { ...reads('A'), ...changes('EA') } },
  // Event: read viewer, create editor. Controllers patch the count of what they created; only admins remove traces.
  { plural: 'events', rights: { ...reads('VEAP'), create: 'EA', update: 'EA', patch: 'EA', delete: 'A', deletecollection: 'A' } },
  // ServiceAccount and its token: admin.
  { plural: 'serviceaccounts', rights: { ...reads('VEAP'), ...changes('A') }, subresources: { token: { create: 'A' } } },
  { plural: 'clusteraccounts', rights: { ...reads('VEAP'), ...changes('A') } },
  // Own Clusters and their credentials: admin; platform admins have Cluster and ClusterGrant fully.
  { plural: 'clusters', rights: { ...reads('VEAP'), ...changes('AP') }, subresources: { credentials: { get: 'AP', create: 'AP' } } },
  { plural: 'clustergrants', rights: { ...reads('VEAP'), ...changes('AP') } },
  // Delivery: read only for all.
  { plural: 'deliveries', rights: reads('VEAP') },
  // AccessToken: each member their own, admin all. What it may do cannot be changed.
  { plural: 'accesstokens', own: true, rights: { ...reads('VEAP'), create: 'VEA', delete: 'VEA', deletecollection: 'VEA' } },
  // Namespace create and delete (names within Tenant.spec.namespaces): admin.
  { plural: 'namespaces', rights: { ...reads('VEAP'), create: 'A', update: 'A', patch: 'A', delete: 'A' } },
  // Tenant: members get, admin patches members and groups only; platform admins have it fully.
  { plural: 'tenants', rights: { ...reads('VEAP'), create: 'P', update: 'P', patch: 'AP', delete: 'P' } },
];
