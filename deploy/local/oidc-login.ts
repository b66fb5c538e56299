import { createHash, randomBytes } from 'node:crypto';
import Type, { type Static, type TSchema } from 'typebox';
import Value from 'typebox/value';
import { Agent, request } from 'undici';
import { cliClientId, demoScope } from '#deploy/local/oidc-settings.ts';

export const TokenAnswer = Type.Object({
  id_token: Type.String(),
  access_token: Type.String(),
  refresh_token: Type.String(),
  expires_in: Type.Number(),
});
export type TokenAnswer = Readonly<Static<typeof TokenAnswer>>;

export const DeviceAnswer = Type.Object({
  device_code: Type.String(),
  user_code: Type.String(),
  verification_uri: Type.String(),
  verification_uri_complete: Type.String(),
});
export type DeviceAnswer = Readonly<Static<typeof DeviceAnswer>>;

type Page = Readonly<{ status: number; location: string | null; body: string; url: string }>;
type Browser = Readonly<{ get(url: string): Promise<Page>; post(url: string, form: Readonly<Record<string, string>>): Promise<Page> }>;

const loopback = 'http://127.0.0.1:53682/callback';
const maxRedirects = 10;
const timeoutMs = 10_000;

/** The code flow with PKCE, step by step as a browser does it, choosing the given demo user. Returns real tokens. */
export async function logIn(issuer: string, caPem: string, user: string): Promise<TokenAnswer> {
  const verifier = randomBytes(32).toString('base64url');
  const authorize = new URL('/auth', issuer);
  authorize.search = new URLSearchParams({
    client_id: cliClientId,
    response_type: 'code',
    redirect_uri: loopback,
    scope: demoScope,
    state: randomBytes(8).toString('hex'),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString();
  return withBrowser(caPem, async (browser) => {
    const end = await follow(browser, await browser.get(authorize.href), user);
    const code = new URL(end.location ?? end.url).searchParams.get('code');
    if (code === null) throw new Error(`the login as ${user} gave no code: ${end.status} ${end.location ?? end.body.slice(0, 500)}`);
    const form = { grant_type: 'authorization_code', client_id: cliClientId, code, code_verifier: verifier, redirect_uri: loopback };
    return readJson(await browser.post(new URL('/token', issuer).href, form), TokenAnswer);
  });
}

/** Answers a device flow as that user would in a browser: code, confirmation, login. Throws unless the provider says it is done. */
export async function approveDevice(issuer: string, caPem: string, userCode: string, user: string): Promise<void> {
  const device = new URL('/device', issuer).href;
  await withBrowser(caPem, async (browser) => {
    const secretOf = (page: Page): string => {
      const secret = /name="xsrf" value="([^"]+)"/.exec(page.body)?.[1];
      if (secret === undefined) throw new Error(`no device form at ${page.url}: ${page.status} ${page.body.slice(0, 500)}`);
      return secret;
    };
    const asked = await browser.post(device, { xsrf: secretOf(await browser.get(device)), user_code: userCode });
    const confirmed = await browser.post(device, { xsrf: secretOf(asked), user_code: userCode, confirm: 'yes' });
    const end = await follow(browser, confirmed, user);
    if (end.status !== 200 || !end.body.includes('You are logged in'))
      throw new Error(`the device was not approved: ${end.status} ${end.body.slice(0, 500)}`);
  });
}

/** Goes where the answers lead, pressing the user's button on the login page, until a page stays or the client's own address is reached. */
async function follow(browser: Browser, first: Page, user: string): Promise<Page> {
  let page = first;
  for (let step = 0; step < maxRedirects; step += 1) {
    if (page.location === null) return page;
    const next = new URL(page.location, page.url);
    if (next.origin !== new URL(page.url).origin) return page;
    page = next.pathname.startsWith('/demo-login/') ? await browser.post(next.href, { user }) : await browser.get(next.href);
  }
  throw new Error(`more than ${maxRedirects} redirects, last at ${page.url}`);
}

async function withBrowser<Result>(caPem: string, use: (browser: Browser) => Promise<Result>): Promise<Result> {
  const agent = new Agent({ connect: { ca: caPem }, allowH2: false });
  const cookies = new Map<string, string>();
  const call = async (method: 'GET' | 'POST', url: string, form?: Readonly<Record<string, string>>): Promise<Page> => {
    const answer = await request(url, {
      dispatcher: agent,
      method,
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      ...(form === undefined ? {} : { body: new URLSearchParams(form).toString() }),
    });
    for (const line of [answer.headers['set-cookie'] ?? []].flat()) keepCookie(cookies, line);
    const location = answer.headers.location;
    return { status: answer.statusCode, location: typeof location === 'string' ? location : null, body: await answer.body.text(), url };
  };
  try {
    return await use({ get: (url) => call('GET', url), post: (url, form) => call('POST', url, form) });
  } finally {
    await agent.close();
  }
}

function keepCookie(cookies: Map<string, string>, line: string): void {
  const pair = line.split(';', 1)[0] ?? '';
  const equals = pair.indexOf('=');
  const value = pair.slice(equals + 1);
  if (value === '') cookies.delete(pair.slice(0, equals));
  else cookies.set(pair.slice(0, equals), value);
}

function readJson<Schema extends TSchema>(page: Page, schema: Schema): Type.Static<Schema> {
  if (page.status !== 200) throw new Error(`${page.url} answered ${page.status}: ${page.body.slice(0, 500)}`);
  return Value.Parse(schema, JSON.parse(page.body));
}
