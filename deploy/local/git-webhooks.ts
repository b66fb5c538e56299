import { createHmac } from 'node:crypto';
import { chmod, rename, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const webhookTypes = ['generic', 'generic-hmac', 'github', 'gitlab'] as const;

/** What a repository tells whom after each push. */
export type Webhook = Readonly<{
  type: (typeof webhookTypes)[number];
  url: string;
  /** Signs the body (HMAC SHA-256); gitlab's is sent as it is. */
  secret: string;
  /** Certificates to trust for an https URL; null trusts the system's. */
  caPem: string | null;
}>;

/** One changed reference, as git tells a post-receive hook. */
export type RefChange = Readonly<{ before: string; after: string; ref: string }>;

const hookFileName = 'webhooks.json';
const sendTimeoutMs = 5_000;

/** Makes the bare repository call these webhooks after each push from now on. The list holds secrets and has mode 0600. */
export async function installWebhooks(repositoryDir: string, webhooks: readonly Webhook[]): Promise<void> {
  const list = join(repositoryDir, hookFileName);
  await writeFile(`${list}.new`, JSON.stringify(webhooks), { mode: 0o600 });
  await rename(`${list}.new`, list);
  const hook = join(repositoryDir, 'hooks/post-receive');
  if (webhooks.length === 0) {
    await rm(hook, { force: true });
    return;
  }
  const program = fileURLToPath(new URL('./git-post-receive.ts', import.meta.url));
  await writeFile(hook, `#!${process.execPath}\nimport(${JSON.stringify(program)}).then((hook) => hook.main(${JSON.stringify(list)}));\n`);
  await chmod(hook, 0o700);
}

/** The list that `installWebhooks` wrote. Checked by hand: the hook starts with each push, and a schema library would triple its time. */
export function readWebhooks(json: string): readonly Webhook[] {
  const list: unknown = JSON.parse(json);
  if (!Array.isArray(list)) throw new Error('the webhooks are no list');
  return list.map((entry: unknown) => {
    if (!isWebhook(entry)) throw new Error('a webhook lacks type, url, secret or caPem');
    return entry;
  });
}

function isWebhook(entry: unknown): entry is Webhook {
  if (typeof entry !== 'object' || entry === null) return false;
  if (!('type' in entry && 'url' in entry && 'secret' in entry && 'caPem' in entry)) return false;
  const isKnown = webhookTypes.some((type) => type === entry.type);
  return (
    isKnown &&
    typeof entry.url === 'string' &&
    typeof entry.secret === 'string' &&
    (entry.caPem === null || typeof entry.caPem === 'string')
  );
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
