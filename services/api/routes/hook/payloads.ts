import Type, { type TSchema } from 'typebox';
import Value from 'typebox/value';

/**
 * Bodies of senders that prove themselves by the secret path alone, as far as their documentation names fields (threats G3: one schema per provider). Nothing of
 * them decides what is woken; a body of another shape is somebody else's mistake.
 */
const text = Type.Optional(Type.String());

/** docs.docker.com/docker-hub/repos/manage/webhooks */
const DockerHub = Type.Object({ push_data: Type.Object({ tag: text }), repository: Type.Object({ repo_url: text, repo_name: text }) });

/** docs.projectquay.io, repository push notifications */
const Quay = Type.Object({ docker_url: Type.String(), updated_tags: Type.Optional(Type.Array(Type.String())) });

/** learn.microsoft.com/azure/container-registry/container-registry-webhook-reference; a ping has no target */
const Acr = Type.Object({
  id: text,
  action: Type.String(),
  target: Type.Optional(Type.Object({ repository: text, tag: text, digest: text })),
});

/** cdevents.dev/docs/spec: what every event has; `specversion` is what 0.5 calls `version`. */
const CdEvent = Type.Object({
  context: Type.Object({
    version: text,
    specversion: text,
    id: Type.String({ minLength: 1 }),
    source: Type.String({ minLength: 1 }),
    type: Type.String({ maxLength: 256, pattern: '^dev\\.cdevents\\.[a-z]+\\.[a-z]+\\.[0-9]+\\.[0-9]+\\.[0-9]+(-[a-z0-9.]+)?$' }),
    timestamp: Type.String({ minLength: 1 }),
  }),
  subject: Type.Object({ id: Type.String({ minLength: 1 }), content: Type.Object({}) }),
});

const schemas = Object.freeze({ dockerhub: DockerHub, quay: Quay, acr: Acr, cdevents: CdEvent } satisfies Record<string, TSchema>);
export type PayloadType = keyof typeof schemas;

/** Whether a parsed body is one of this sender. Pure. */
export function isPayload(type: PayloadType, body: unknown): boolean {
  return Value.Check(schemas[type], body);
}
