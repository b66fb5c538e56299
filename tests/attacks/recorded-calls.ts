import { Agent, request } from 'undici';
import { type Json, stringifyJson } from '#core/json.ts';
import type { PlaneUser } from '#deploy/demo/plane-client.ts';

export type Recorded = Readonly<{ who: string; what: string; status: number; text: string }>;
export type Recording = Readonly<{
  ask(
    who: string,
    path: string,
    more?: Readonly<{ method?: string; body?: Json | string; headers?: Readonly<Record<string, string>> }>,
  ): Promise<Recorded>;
  /** Every answer so far, headers included. */
  answers(): readonly Recorded[];
  close(): Promise<void>;
}>;

/** Asks the plane as one of some people and keeps each answer to the byte. Somebody unknown asks without a token. */
export function recordCalls(people: ReadonlyMap<string, PlaneUser>, plane: Readonly<{ url: string; caPem: string }>): Recording {
  const answers: Recorded[] = [];
  const agent = new Agent({ connect: { ca: plane.caPem }, headersTimeout: 20_000, bodyTimeout: 20_000 });
  return Object.freeze({
    ask: async (
      who: string,
      path: string,
      more: Readonly<{ method?: string; body?: Json | string; headers?: Readonly<Record<string, string>> }> = {},
    ) => {
      const { method = 'GET', body, headers = {} } = more;
      const token = people.get(who)?.token;
      const answer = await request(new URL(path, plane.url), {
        dispatcher: agent,
        method: method === 'POST' || method === 'PUT' || method === 'PATCH' || method === 'DELETE' ? method : 'GET',
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : stringifyJson(body) }),
      });
      const text = `${JSON.stringify(answer.headers)}\n${await answer.body.text()}`;
      const recorded = { who, what: `${method} ${path}`, status: answer.statusCode, text };
      answers.push(recorded);
      return recorded;
    },
    answers: () => answers,
    close: () => agent.destroy(),
  });
}
