/** One challenge of a registry: how it wants to be asked. */
export type Challenge = Readonly<{ is: 'basic' }> | Readonly<{ is: 'bearer'; realm: string; service: string | null }>;

const MAX_LENGTH = 4_096;
const PARAMETER = /\s*([a-zA-Z_]{1,32})\s*=\s*(?:"([^"\\]{0,2048})"|([^\s",]{1,2048}))\s*(?:,|$)/y;

/** The first Bearer challenge of WWW-Authenticate, else Basic, else null (RFC 9110 section 11.6.1; distribution/docs/spec/auth/token.md). Pure. */
export function parseChallenge(header: string | undefined): Challenge | null {
  if (header === undefined || header.length > MAX_LENGTH) return null;
  const start = /(?:^|,\s*)bearer\s+/i.exec(header);
  if (start === null) return /(?:^|,\s*)basic(?:\s|$)/i.test(header) ? { is: 'basic' } : null;
  const found = new Map<string, string>();
  PARAMETER.lastIndex = start.index + start[0].length;
  for (let match = PARAMETER.exec(header); match !== null; match = PARAMETER.exec(header)) {
    const name = match[1]?.toLowerCase() ?? '';
    // Said twice, it is whichever the reader likes: refused.
    if (found.has(name)) return null;
    found.set(name, match[2] ?? match[3] ?? '');
  }
  const realm = found.get('realm');
  return realm === undefined || realm === '' ? null : { is: 'bearer', realm, service: found.get('service') ?? null };
}
