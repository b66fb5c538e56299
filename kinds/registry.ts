import type { TSchema } from 'typebox';
import Value from 'typebox/value';
import type { JsonObject } from '#core/json.ts';
import type { Kind, Unit } from '#core/kind.ts';
import type { Need } from '#core/ports.ts';
import type { Resource } from '#core/resource.ts';
import type { Ref } from '#core/store.ts';
import { resource as accessToken } from './access-token/resource.ts';
import { artifactGeneratorKind } from './artifact-generator/index.ts';
import { resource as artifactGenerator } from './artifact-generator/resource.ts';
import { bucketKind } from './bucket/index.ts';
import { resource as bucket } from './bucket/resource.ts';
import { clusterKind } from './cluster/index.ts';
import { resource as cluster } from './cluster/resource.ts';
import { resource as clusterAccount } from './cluster-account/resource.ts';
import { resource as clusterGrant } from './cluster-grant/resource.ts';
import { resource as configMap } from './config-map/resource.ts';
import { resource as delivery } from './delivery/resource.ts';
import { resource as event } from './event/resource.ts';
import { externalArtifactKind } from './external-artifact/index.ts';
import { resource as externalArtifact } from './external-artifact/resource.ts';
import { gitRepositoryKind } from './git-repository/index.ts';
import { resource as gitRepository } from './git-repository/resource.ts';
import { helmChartKind } from './helm-chart/index.ts';
import { resource as helmChart } from './helm-chart/resource.ts';
import { helmReleaseKind } from './helm-release/index.ts';
import { resource as helmRelease } from './helm-release/resource.ts';
import { helmRepositoryKind } from './helm-repository/index.ts';
import { resource as helmRepository } from './helm-repository/resource.ts';
import { imagePolicyKind } from './image-policy/index.ts';
import { resource as imagePolicy } from './image-policy/resource.ts';
import { imageRepositoryKind } from './image-repository/index.ts';
import { resource as imageRepository } from './image-repository/resource.ts';
import { imageUpdateAutomationKind } from './image-update-automation/index.ts';
import { resource as imageUpdateAutomation } from './image-update-automation/resource.ts';
import { kustomizationKind } from './kustomization/index.ts';
import { resource as kustomization } from './kustomization/resource.ts';
import { resource as namespace } from './namespace/resource.ts';
import { ociRepositoryKind } from './oci-repository/index.ts';
import { resource as ociRepository } from './oci-repository/resource.ts';
import { placementKind } from './placement/index.ts';
import { resource as placement } from './placement/resource.ts';
import { pullRequestPolicyKind } from './pull-request-policy/index.ts';
import { resource as pullRequestPolicy } from './pull-request-policy/resource.ts';
import { receiverKind } from './receiver/index.ts';
import { resource as receiver } from './receiver/resource.ts';
import { resource as secret } from './secret/resource.ts';
import { resource as serviceAccount } from './service-account/resource.ts';
import { resource as tenant } from './tenant/resource.ts';

/** Everything the API serves and stores. Adding a kind is one folder and one line here; a test compares the folders with this list. */
export const resources = [
  namespace,
  secret,
  configMap,
  serviceAccount,
  event,
  gitRepository,
  bucket,
  helmRepository,
  helmChart,
  helmRelease,
  ociRepository,
  externalArtifact,
  artifactGenerator,
  kustomization,
  imageRepository,
  imagePolicy,
  imageUpdateAutomation,
  pullRequestPolicy,
  receiver,
  tenant,
  cluster,
  clusterGrant,
  clusterAccount,
  placement,
  delivery,
  accessToken,
] as const satisfies readonly Resource[];

/** Kinds with work of their own, run by the workers. */
export const kinds = [
  gitRepositoryKind,
  ociRepositoryKind,
  bucketKind,
  helmRepositoryKind,
  helmChartKind,
  externalArtifactKind,
  artifactGeneratorKind,
  kustomizationKind,
  helmReleaseKind,
  imageRepositoryKind,
  imagePolicyKind,
  imageUpdateAutomationKind,
  pullRequestPolicyKind,
  receiverKind,
  clusterKind,
  placementKind,
] as const;

/** What the API needs of a reconciled kind, whatever its types are. */
export type Face = Readonly<{ resource: Resource; unit: Unit; refsOf(body: JsonObject, namespace: string, name: string): readonly Ref[] }>;

const faces: readonly Face[] = [
  face(gitRepositoryKind),
  face(bucketKind),
  face(helmRepositoryKind),
  face(helmChartKind),
  face(helmReleaseKind),
  face(ociRepositoryKind),
  face(externalArtifactKind),
  face(artifactGeneratorKind),
  face(kustomizationKind),
  face(imageRepositoryKind),
  face(imagePolicyKind),
  face(imageUpdateAutomationKind),
  face(pullRequestPolicyKind),
  face(receiverKind),
  face(clusterKind),
  face(placementKind),
];

/** The face of a reconciled kind by name; null for kinds that nobody reconciles. */
export function faceOf(kind: string): Face | null {
  return faces.find((face) => face.resource.kind === kind) ?? null;
}

export function resourceOf(kind: string): Resource | null {
  return resources.find((one) => one.kind === kind) ?? null;
}

export function face<U extends Unit, S extends TSchema, T extends TSchema, N extends Need, Seen, Act extends { do: string }>(
  kind: Kind<U, S, T, N, Seen, Act>,
): Face {
  return Object.freeze({
    resource: kind.resource,
    unit: kind.unit,
    refsOf(body: JsonObject, inNamespace: string, name: string): readonly Ref[] {
      const spec: unknown = body.spec;
      // The API validated it with the same schema: anything else is our bug.
      if (!Value.Check(kind.spec, spec)) throw new Error(`${kind.resource.kind}: spec does not fit its own schema`);
      return kind.refs(spec, inNamespace, name);
    },
  });
}
