import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import { pushMessage, type RefChange, readWebhooks, sendWebhook, type Webhook } from '#deploy/local/git-webhooks.ts';

/**
 * What a demo repository runs after a push: one message per changed reference and webhook, all at once.
 * What goes wrong is told to the pusher ("remote: …") and fails nothing: the push has happened.
 */
export async function main(listFile: string): Promise<void> {
  const webhooks = readWebhooks(await readFile(listFile, 'utf8'));
  const changes = readChanges(await text(process.stdin));
  const repository = basename(dirname(listFile)).replace(/\.git$/, '');
  await Promise.all(webhooks.flatMap((webhook) => changes.map((change) => tell(webhook, repository, change))));
}

function readChanges(input: string): readonly RefChange[] {
  return input
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [before = '', after = '', ref = ''] = line.split(' ');
      return { before, after, ref };
    });
}

async function tell(webhook: Webhook, repository: string, change: RefChange): Promise<void> {
  const { host } = new URL(webhook.url);
  try {
    const status = await sendWebhook(webhook, pushMessage(webhook, repository, change));
    if (status < 200 || status > 299) process.stderr.write(`webhook at ${host} answered ${status}\n`);
  } catch (error) {
    process.stderr.write(`webhook at ${host} did not answer: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
