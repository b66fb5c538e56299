import { Agent } from 'node:https';
import { rootCertificates } from 'node:tls';

/** Trusts the named authority beside those of the system; verification is never off. */
export function agentFor(caPem: string | null): Agent {
  return new Agent({ keepAlive: true, maxSockets: 32, ...(caPem === null ? {} : { ca: [caPem, ...rootCertificates] }) });
}
