import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { AppError } from '#core/errors.ts';
import { createAddressJudge } from './addresses.ts';

export type CheckedAddress = Readonly<{ address: string; family: 4 | 6 }>;
/** Answers every address of a host. */
export type ResolveAll = (host: string, signal: AbortSignal) => Promise<readonly Readonly<{ address: string; family: number }>[]>;

export interface EgressPolicy {
  /**
   * Resolves once and answers the addresses to connect to, so that check and use cannot differ (G2). Throws AppError egressDenied when any of them
   * is not public and not allowed (a mixed answer is refused whole), and an Error with code ENOTFOUND when the name does not resolve.
   */
  resolve(host: string, signal: AbortSignal): Promise<readonly CheckedAddress[]>;
  /** The same as plain texts, as the git adapter wants it: there a name that does not resolve is AppError gitFailed. */
  check(host: string, signal: AbortSignal): Promise<readonly string[]>;
  /** For `lookup` of net.connect, tls.connect and undici's connector: the check sits in the socket's own look-up. */
  readonly egressLookup: LookupFunction;
}

const MAX_ADDRESSES = 32;

/** The one rule about which hosts the plane may contact. `allowCidrs` is WEIR_EGRESS_ALLOW; `resolveAll` is the system's unless a test gives another. */
export function createEgress({
  allowCidrs,
  resolveAll = resolveBySystem,
}: Readonly<{ allowCidrs: readonly string[]; resolveAll?: ResolveAll }>): EgressPolicy {
  const mayReach = createAddressJudge(allowCidrs);
  async function resolve(host: string, signal: AbortSignal): Promise<readonly CheckedAddress[]> {
    const name = plainHost(host);
    const literal = isIP(name);
    const found = literal === 0 ? await resolveName(name, signal) : [{ address: name, family: literal }];
    if (found.some(({ address }) => !mayReach(address))) {
      throw new AppError(
        'egressDenied',
        `the host ${name} is at a private or reserved address; the operator can allow its range in WEIR_EGRESS_ALLOW`,
      );
    }
    return found.slice(0, MAX_ADDRESSES).map(({ address, family }) => Object.freeze({ address, family: family === 6 ? 6 : 4 }));
  }
  async function resolveName(name: string, signal: AbortSignal): Promise<readonly Readonly<{ address: string; family: number }>[]> {
    const found = await resolveAll(name, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      throw notFound(`the host ${name} does not resolve`, error);
    });
    if (found.length === 0) throw notFound(`the host ${name} has no address`, null);
    return found;
  }
  return Object.freeze({
    resolve,
    async check(host, signal) {
      const found = await resolve(host, signal).catch((error: unknown) => {
        if (error instanceof Error && 'code' in error && error.code === 'ENOTFOUND')
          throw new AppError('gitFailed', error.message, {}, { cause: error });
        throw error;
      });
      return found.map(({ address }) => address);
    },
    egressLookup(host, options, callback) {
      resolve(host, AbortSignal.timeout(30_000)).then(
        (found) => {
          const wanted = options.family === 4 || options.family === 6 ? found.filter(({ family }) => family === options.family) : found;
          const [first] = wanted;
          if (first === undefined) return callback(notFound('the host has no address of this family', null), '');
          return options.all === true
            ? callback(
                null,
                wanted.map(({ address, family }) => ({ address, family })),
              )
            : callback(null, first.address, first.family);
        },
        (error: unknown) => callback(error instanceof Error ? error : new Error('look-up failed'), ''),
      );
    },
  } satisfies EgressPolicy);
}

/** As node:dns says it, so that whoever connects treats it as a host that cannot be reached. */
function notFound(message: string, cause: unknown): NodeJS.ErrnoException {
  return Object.assign(new Error(message, { cause }), { code: 'ENOTFOUND' });
}

/** Odd spellings (0x7f.1, 2130706433, ①.②, trailing dots) become what the platform would connect to, or are refused. */
function plainHost(host: string): string {
  const bracketed = isIP(host) === 6 ? `[${host}]` : host;
  const url = URL.parse(`http://${bracketed}/`);
  if (url === null || url.hostname === '' || url.port !== '' || url.username !== '' || url.pathname !== '/' || host.length > 255)
    throw new AppError('egressDenied', 'the host is written in a way that cannot be checked');
  return url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}

function resolveBySystem(host: string, signal: AbortSignal): Promise<readonly Readonly<{ address: string; family: number }>[]> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    systemLookup(host, { all: true, verbatim: true }, (error, found) => {
      signal.removeEventListener('abort', stop);
      if (error === null) resolve(found);
      else reject(error);
    });
  });
}
