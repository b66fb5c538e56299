import type { Agent } from 'node:https';
import type { CustomFetch } from 'openid-client';
import { send } from '#services/cli/http/send.ts';

const timeoutMs = 15_000;
const maxBytes = 1024 * 1024;

/** The fetch that openid-client is given: our agent (its authorities), our limits, no redirects. */
export function httpsFetch(agent: Agent, signal: AbortSignal): CustomFetch {
  return async (url, { method, headers, body }) => {
    const content = typeof body === 'string' || body instanceof URLSearchParams ? { body: body.toString() } : {};
    const sent: Record<string, string> = { ...Object.fromEntries(new Headers(headers)) };
    if (body instanceof URLSearchParams) sent['content-type'] ??= 'application/x-www-form-urlencoded';
    const answer = await send({ agent, url: new URL(url), method, headers: sent, ...content, signal, timeoutMs, maxBytes });
    const kept = new Headers();
    for (const [name, value] of Object.entries(answer.headers)) kept.set(name, Array.isArray(value) ? value.join(', ') : (value ?? ''));
    return new Response(answer.status === 204 || answer.status === 304 ? null : answer.text, { status: answer.status, headers: kept });
  };
}
