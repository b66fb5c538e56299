import { createHmac } from 'node:crypto';
import { chmod, rename, writeFile } from 'node:fs/promises';
import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Type, { type Static } from 'typebox';

/** What a repository tells whom after each push. `secret` signs the body (HMAC SHA-256), or is sent as it is for gitlab. */
export const Webhook = Type.Object({
  type: Type.Union([Type.Literal('generic'), Type.Literal('generic-hmac'), Type.Literal('github'), Type.Literal('gitlab')]),
  url: Type.String({ maxLength: 2_000 }),
  secret: Type.String({ maxLength: 500 }),
  /** Certificates to trust for an https URL; null trusts the system's. */
  caPem: Type.Union([Type.String({ maxLength: 65_536 }), Type.Null()]),
});
export type Webhook = Readonly<Static<typeof Webhook>>;

/** One changed reference, as git tells a post-receive hook. */
export type RefChange = Readonly<{ before: string; after: string; ref: string }>;

const hookFileName = 'webhooks.json';
const sendTimeoutMs = 5_000;

/** Makes the bare repository call these webhooks after each push from now on. The list holds secrets and has mode 0600. */
export async function installWebhooks(repositoryDir: string, webhooks: readonly Webhook[]): Promise<void> {
  const list = join(repositoryDir, hookFileName);
  await writeFile(`${list}.new`, JSON.stringify(webhooks), { mode: 0o600 });
  await rename(`${list}.new`, list);
  const program = fileURLToPath(new URL('./git-post-receive.ts', import.meta.url));
  const hook = join(repositoryDir, 'hooks/post-receive');
  await writeFile(hook, `#!${process.execPath}\nimport(${JSON.stringify(program)}).then((hook) => hook.main(${JSON.stringify(list)}));\n`);
  await chmod(hook, 0o700);
}

/** Headers and body with which a forge of that type tells of a push. Public sources: the forges' webhook documentation, Flux's Receiver. */
export function pushMessage(
  webhook: Webhook,
  repository: string,
  change: RefChange,
): Readonly<{ body: string; headers: Readonly<Record<string, string>> }> {
  const body = JSON.stringify({ ...change, repository: { name: repository, full_name: `demo/${repository}` }, pusher: { name: 'demo' } });
  const signature = createHmac('sha256', webhook.secret).update(body).digest('hex');
  const common = { 'content-type': 'application/json', 'user-agent': 'demo-git-server' };
  switch (webhook.type) {
    case 'generic':
      return { body, headers: common };
    case 'generic-hmac':
      return { body, headers: { ...common, 'x-signature': `sha256=${signature}` } };
    case 'github':
      return { body, headers: { ...common, 'x-github-event': 'push', 'x-hub-signature-256': `sha256=${signature}` } };
    case 'gitlab':
      return { body, headers: { ...common, 'x-gitlab-event': 'Push Hook', 'x-gitlab-token': webhook.secret } };
  }
}

/** Sends one message. Returns the status; throws when there is no answer within 5 s. */
export function sendWebhook(webhook: Webhook, message: ReturnType<typeof pushMessage>): Promise<number> {
  const url = new URL(webhook.url);
  const options: RequestOptions & { ca?: string } = {
    method: 'POST',
    headers: { ...message.headers, 'content-length': String(Buffer.byteLength(message.body)) },
    signal: AbortSignal.timeout(sendTimeoutMs),
    ...(webhook.caPem === null ? {} : { ca: webhook.caPem }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, (incoming) => {
      incoming.resume();
      incoming.once('error', reject);
      incoming.once('end', () => resolve(incoming.statusCode ?? 0));
    });
    outgoing.once('error', reject);
    outgoing.end(message.body);
  });
}
