import { beforeAll, describe, expect, it } from 'vitest';
import { textAt } from '#core/json.ts';
import { rfc3339 } from '#core/time.ts';
import { resources } from '#kinds/registry.ts';
import { type Person, useApi } from '#tests/contract/api.ts';
import { openHook } from '#tests/contract/receivers.ts';
import { type Sample, sampleObject, samples } from '#tests/contract/samples.ts';

const api = useApi();
const canary = 'canary-5e1f-secret-value';
const people: readonly Person[] = ['viewer', 'editor', 'admin', 'platform', 'stranger'];
const forms = [
  undefined,
  'application/yaml',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
];
/** Kinds that stand beside secrets: their watches are read too, each for a second. */
const watched = ['secrets', 'accesstokens', 'clusters'];
const hidden: string[] = [];
let made: Readonly<Record<string, Sample>> = {};

beforeAll(async () => {
  const info = await api.must(null, '/.well-known/weir-configuration');
  made = samples(textAt(info, 'certificateAuthority') ?? '', api.clock.nowMs());
  const lastApplied = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ stringData: { password: canary } }) };
  await api.must('admin', '/api/v1/namespaces/acme/secrets', {
    method: 'POST',
    body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x', annotations: lastApplied }, stringData: { password: canary } },
  });
  for (const plural of ['clusters', 'serviceaccounts', 'configmaps'])
    await api.must('admin', pathOf(plural), { method: 'POST', body: sampleObject(sampleOf(plural), 'x', 'acme') });
  await api.must('admin', `${pathOf('clusters')}/x/credentials`, {
    method: 'POST',
    body: { token: `${canary}-credential`, expiresAt: rfc3339(api.clock.nowMs() + 3_600_000) },
  });
  await openHook(api, 'github', 'hooked');
  const token =
    textAt(
      await api.must('admin', pathOf('accesstokens'), { method: 'POST', body: sampleObject(sampleOf('accesstokens'), 'x', 'acme') }),
      'status',
      'token',
    ) ?? '';
  const account =
    textAt(await api.must('admin', `${pathOf('serviceaccounts')}/x/token`, { method: 'POST', body: {} }), 'status', 'token') ?? '';
  hidden.push(canary, Buffer.from(canary).toString('base64'), token.slice(22), account.slice(22));
});

function sampleOf(plural: string): Sample {
  const sample = made[plural];
  if (sample === undefined) throw new Error(`no sample of ${plural}`);
  return sample;
}

const pathOf = (plural: string): string => sampleOf(plural).path.replace(':namespace', 'acme');

function expectClean(text: string, where: string): void {
  for (const secret of hidden) expect(text.includes(secret), `${where} holds ${secret.slice(0, 12)}…`).toBe(false);
}

describe('E1: no answer holds a secret, but a Secret to who may get it', () => {
  it.each(people)('every kind in every form, as %s', async (person) => {
    for (const { plural, subresources } of resources) {
      const collection = pathOf(plural);
      const everywhere = sampleOf(plural).path.replace('/namespaces/:namespace', '');
      const subs = subresources.map((one) => `${collection}/x/${one.name}`);
      for (const path of [
        collection,
        everywhere,
        `${collection}/x`,
        ...(watched.includes(plural) ? [`${collection}?watch=true&timeoutSeconds=1`] : []),
        ...subs,
      ]) {
        const isOwnSecret = plural === 'secrets' && person === 'admin';
        for (const accept of path.includes('watch') ? [undefined] : forms) {
          if (isOwnSecret && (accept === undefined || accept === 'application/yaml')) continue;
          const reply = await api.ask(person, path, { headers: accept === undefined ? {} : { accept } });
          expectClean(reply.text, `${path} as ${accept ?? 'json'}`);
        }
      }
    }
  });

  it('answers to writes of an editor, who writes Secrets without reading them', async () => {
    const path = `${pathOf('secrets')}/x`;
    for (const query of ['', '?dryRun=All']) {
      const reply = await api.ask('editor', `${path}${query}`, {
        method: 'PATCH',
        body: { metadata: { labels: { touched: query === '' ? 'once' : 'twice' } } },
      });
      expect(reply.status).toBe(200);
      expectClean(reply.text, `PATCH${query}`);
    }
  });

  it('the log and the audit entries', async () => {
    expectClean(api.logged(), 'the log');
    expectClean(JSON.stringify(await api.plane.ask('select a::text as t from weir.audit a')), 'the audit');
  });

  it('rows at rest, the annotation of kubectl included', async () => {
    const rows = await api.plane.ask('select o::text as t from weir.objects o union all select c::text from weir.change_log c');
    expectClean(JSON.stringify(rows), 'the database');
  });

  it('benign twin: an admin reads the value, and the read is audited', async () => {
    const read = await api.must('admin', `${pathOf('secrets')}/x`);
    expect(textAt(read, 'data', 'password')).toBe(Buffer.from(canary).toString('base64'));
    const [audited] = await api.plane.ask(
      `select count(*)::int as n from weir.audit a where a::text like '%Secret%' and a::text like '%get%' and a::text like '%read%'`,
    );
    expect(audited?.['n']).toBeGreaterThan(0);
  });
});
