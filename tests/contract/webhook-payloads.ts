import type { ServedType } from '#kinds/receiver/support.ts';

/** What each sender puts into a body, in the shape that its documentation shows; names and digests are invented. */

const digest = `sha256:${'5e'.repeat(32)}`;
const push = {
  ref: 'refs/heads/main',
  before: '0'.repeat(40),
  after: '1'.repeat(40),
  repository: { name: 'app', full_name: 'team/app', clone_url: 'https://git.test/team/app.git' },
  commits: [{ id: '1'.repeat(40), message: 'change' }],
};

const shapes: Readonly<Record<ServedType, object>> = {
  github: push,
  gitlab: { object_kind: 'push', event_name: 'push', ref: push.ref, project: { path_with_namespace: 'team/app' }, total_commits_count: 1 },
  bitbucket: {
    repository: { full_name: 'team/app', type: 'repository' },
    push: { changes: [{ new: { type: 'branch', name: 'main', target: { hash: '1'.repeat(40) } } }] },
  },
  generic: {},
  'generic-hmac': { image: 'registry.test/team/app:1.2.0' },
  harbor: {
    type: 'PUSH_ARTIFACT',
    occur_at: 1_700_000_000,
    operator: 'robot$ci',
    event_data: {
      resources: [{ digest, tag: '1.2.0', resource_url: 'harbor.test/team/app:1.2.0' }],
      repository: { date_created: 1_700_000_000, name: 'app', namespace: 'team', repo_full_name: 'team/app', repo_type: 'private' },
    },
  },
  dockerhub: {
    callback_url: 'https://registry.hub.docker.com/u/team/app/hook/2141b5bi5i5b02bec211i4eeih0242eg11000a/',
    push_data: { pushed_at: 1_700_000_000, pusher: 'team', tag: '1.2.0' },
    repository: { name: 'app', namespace: 'team', repo_name: 'team/app', repo_url: 'https://hub.docker.com/r/team/app', status: 'Active' },
  },
  quay: {
    repository: 'team/app',
    namespace: 'team',
    name: 'app',
    docker_url: 'quay.io/team/app',
    homepage: 'https://quay.io/repository/team/app',
    updated_tags: ['1.2.0'],
  },
  acr: {
    id: 'cb8c3971-9adc-488b-bdd8-43cbb4974ff5',
    timestamp: '2026-01-01T00:00:00.0000000Z',
    action: 'push',
    target: {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      size: 524,
      digest,
      length: 524,
      repository: 'team/app',
      tag: '1.2.0',
    },
    request: { id: 'a9d3b6a1', host: 'team.azurecr.io', method: 'PUT', useragent: 'docker/27' },
  },
  nexus: {
    timestamp: '2026-01-01T00:00:00.000+0000',
    nodeId: '52905B51-085CCABB',
    initiator: 'ci/127.0.0.1',
    repositoryName: 'images',
    action: 'CREATED',
    asset: { id: '31c950c8eeeab78336308177ae9c441c', format: 'docker', name: 'v2/team/app/manifests/1.2.0' },
  },
  cdevents: {
    context: {
      version: '0.4.1',
      id: '271069a8-fc18-44f1-b38f-9d70a1695819',
      source: '/ci/pipeline/7',
      type: 'dev.cdevents.artifact.published.0.2.0',
      timestamp: '2026-01-01T00:00:00Z',
    },
    subject: { id: `pkg:oci/app@${digest}`, source: '/ci/pipeline/7', type: 'artifact', content: {} },
  },
};

export const payloads: Readonly<Record<ServedType, string>> = Object.fromEntries(
  Object.entries(shapes).map(([type, shape]) => [type, JSON.stringify(shape)]),
) as Record<ServedType, string>;

/** GitHub's container registry tells of a pushed image by the event `package`. */
export const packagePublished = JSON.stringify({
  action: 'published',
  package: {
    name: 'app',
    namespace: 'team',
    ecosystem: 'CONTAINER',
    package_version: { container_metadata: { tag: { name: '1.2.0', digest } } },
  },
  repository: { full_name: 'team/app' },
});
