import { beforeAll, describe, expect, it } from 'vitest';
import { useApi } from '#tests/contract/api.ts';
import { genuineHeaders, makeRepository, openHook, triggers } from '#tests/contract/receivers.ts';

const api = useApi();
const metacharacters = [
  '.*',
  '^.*$',
  '(a+)+$',
  '%',
  '_',
  '*',
  '?',
  '[a-z]*',
  "' or '1'='1",
  '\\',
  '$(id)',
  '../*',
  '{{.}}',
  '\n',
  'target|other',
  'https://git.test/.*',
];
let path = '';
let labelled = '';

beforeAll(async () => {
  path = (await openHook(api, 'github', 'target')).path;
  await makeRepository(api, 'bystander', { tier: 'web' });
  await makeRepository(api, 'wob', { tier: 'w.b' });
  await makeRepository(api, 'target', {}, 'stranger', 'other');
  labelled = (
    await openHook(api, 'generic', 'by-label', { resources: [{ kind: 'GitRepository', name: '*', matchLabels: { tier: 'w.b' } }] })
  ).path;
});

async function moved(act: () => Promise<unknown>): Promise<readonly string[]> {
  const before = await triggers(api);
  await act();
  const after = await triggers(api);
  return Object.keys(after).filter((name) => after[name] !== before[name]);
}

describe('G4: what a payload says selects nothing', () => {
  it.each(metacharacters)('%j in every field of a genuine payload wakes the named source alone', async (text) => {
    const body = JSON.stringify({
      ref: text,
      repository: { name: text, full_name: text, clone_url: text, html_url: text, ssh_url: text, owner: { login: text } },
      sender: { login: text },
      commits: [{ id: text, url: text, added: [text] }],
      namespace: text,
      resources: [{ kind: text, name: text, namespace: 'other' }],
    });
    expect(await moved(() => api.ask(null, path, { method: 'POST', body, headers: genuineHeaders('github', body) }))).toEqual([
      'acme/target',
    ]);
  });

  it.each(metacharacters.filter((text) => text !== '\n'))('%j as the event or the delivery id', async (text) => {
    const body = '{}';
    const headers = { ...genuineHeaders('github', body), 'x-github-event': text, 'x-github-delivery': text };
    expect((await moved(() => api.ask(null, path, { method: 'POST', body, headers }))).filter((name) => name !== 'acme/target')).toEqual(
      [],
    );
  });

  it('a label value with a dot is compared as it is', async () => {
    expect(await moved(() => api.ask(null, labelled, { method: 'POST', body: '{}' }))).toEqual(['acme/wob']);
  });

  it('benign twin: an ordinary payload wakes the named source', async () => {
    const body = '{"ref":"refs/heads/main","repository":{"clone_url":"https://git.test/x"}}';
    expect(await moved(() => api.ask(null, path, { method: 'POST', body, headers: genuineHeaders('github', body) }))).toEqual([
      'acme/target',
    ]);
  });
});
