import { createHash } from 'node:crypto';
import { isIP, type LookupFunction } from 'node:net';
import { LRUCache } from 'lru-cache';
import { Agent, buildConnector } from 'undici';
import type { HttpRequest } from '#core/http.ts';

type Identity = Pick<HttpRequest, 'caPem' | 'clientCertificate'>;
export type Agents = Readonly<{
  /** The pool for this trust; the client certificate is shown only to the host it was given for. */
  for(identity: Identity, trusted: boolean): Agent;
  close(): Promise<void>;
}>;

const MAX_AGENTS = 64;
const CONNECT_TIMEOUT_MS = 10_000;
const MAX_HEADER_BYTES = 32_768;

/** One pool per authority and client certificate, so that no connection opened under one trust serves another. */
export function createAgents(lookup: LookupFunction): Agents {
  const kept = new LRUCache<string, Agent>({
    max: MAX_AGENTS,
    // Requests under way end by themselves; the pool takes no new ones.
    dispose: (agent) => void agent.close().catch(() => undefined),
  });
  return Object.freeze({
    for(identity: Identity, trusted: boolean): Agent {
      const { caPem } = identity;
      const clientCertificate = trusted ? identity.clientCertificate : null;
      const key = createHash('sha256')
        .update(JSON.stringify([caPem, clientCertificate]))
        .digest('base64');
      const known = kept.get(key);
      if (known !== undefined) return known;
      const agent = newAgent({ caPem, clientCertificate }, lookup);
      kept.set(key, agent);
      return agent;
    },
    async close(): Promise<void> {
      await Promise.all([...kept.values()].map((agent) => agent.destroy()));
      kept.clear();
    },
  });
}

function newAgent({ caPem, clientCertificate }: Identity, lookup: LookupFunction): Agent {
  const connect = buildConnector({
    allowH2: false,
    timeout: CONNECT_TIMEOUT_MS,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    lookup,
    ...(caPem === null ? {} : { ca: caPem }),
    ...(clientCertificate === null ? {} : { cert: clientCertificate.certificatePem, key: clientCertificate.keyPem }),
  });
  return new Agent({
    allowH2: false,
    connections: 8,
    pipelining: 1,
    keepAliveTimeout: 10_000,
    maxHeaderSize: MAX_HEADER_BYTES,
    // Neither ends a server that drips bytes; the signal of the request does.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect(target, callback) {
      // A socket looks up no name for an address that is written out, so the policy is asked here.
      const host = target.hostname.replace(/^\[(.*)\]$/, '$1');
      if (isIP(host) === 0) connect(target, callback);
      else lookup(host, { all: true }, (error) => (error === null ? connect(target, callback) : callback(error, null)));
    },
  });
}
