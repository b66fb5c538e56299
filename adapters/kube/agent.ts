import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { AppError } from '#core/errors.ts';

export type AgentOptions = Readonly<{
  /** PEM. Empty: the public authorities that Node.js brings. */
  caPem: string;
  /** The tenant's own client certificate, for a private cluster. */
  certificate: Readonly<{ certificatePem: string; keyPem: string }> | null;
  /** Egress policy: resolves and checks addresses at the moment of connecting. Null: no policy of ours. */
  connectLookup: LookupFunction | null;
}>;

const connectTimeoutMs = 5_000;

/** HTTP/1.1 only: a GOAWAY beside an open watch hung requests over HTTP/2 (libraries.md section 6). Certificates are always verified. */
export function newAgent(options: AgentOptions, limit: number | null): Agent {
  const { connectLookup } = options;
  const connect = buildConnector({
    allowH2: false,
    timeout: connectTimeoutMs,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(options.caPem === '' ? {} : { ca: options.caPem }),
    ...(options.certificate === null ? {} : { cert: options.certificate.certificatePem, key: options.certificate.keyPem }),
    ...(connectLookup === null ? {} : { lookup: connectLookup }),
  });
  return new Agent({
    allowH2: false,
    connections: limit,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    // Neither frees a request that hangs or drips; the signal does.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: connectLookup === null ? connect : checkedConnector(connect, connectLookup),
  });
}

/** A socket looks up no name for an address that is written out, so the egress policy is asked about it here. */
function checkedConnector(connect: buildConnector.connector, lookup: LookupFunction): buildConnector.connector {
  return (target, callback) => {
    const host = target.hostname.replace(/^\[(.*)\]$/, '$1');
    if (isIP(host) === 0) {
      connect(target, callback);
      return;
    }
    lookup(host, { all: true }, (error) => {
      if (error === null) connect(target, callback);
      else callback(error, null);
    });
  };
}

/** Throws AppError invalid for anything but an https address without user, query and fragment. A path is kept: gateways have one. */
export function parseServer(server: string): Readonly<{ origin: string; prefix: string }> {
  const url = URL.canParse(server) ? new URL(server) : null;
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new AppError('invalid', 'the server of a cluster is an https:// address without user, query and fragment');
  }
  return { origin: url.origin, prefix: url.pathname.replace(/\/+$/, '') };
}
