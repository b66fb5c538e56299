import type { Patterns } from '../ports.ts';
import type { SigstoreIdentity } from '../sigstore.ts';

export type WantedIdentity = Readonly<{ issuer: string; subject: string }>;
export type IdentityTest =
  | Readonly<{ is: 'test'; isWanted(identity: SigstoreIdentity): boolean }>
  | Readonly<{ is: 'failed'; message: string }>;

const MAX_IDENTITIES = 64;

/**
 * Whether an identity is one of those of `spec.verify.matchOIDCIdentity`: issuer and subject of the same entry. Each pattern must fit the whole text: what only holds a trusted name is
 * another name (threats J4). Without entries everybody is, as Flux has it. Pure.
 */
export function identityTest(patterns: Patterns, wanted: readonly WantedIdentity[]): IdentityTest {
  if (wanted.length > MAX_IDENTITIES)
    return { is: 'failed', message: `spec.verify.matchOIDCIdentity has more than ${MAX_IDENTITIES} entries` };
  const tests: ((identity: SigstoreIdentity) => boolean)[] = [];
  for (const [index, { issuer, subject }] of wanted.entries()) {
    const [ofIssuer, ofSubject] = [whole(patterns, issuer), whole(patterns, subject)];
    if (typeof ofIssuer === 'string') return failed(index, 'issuer', ofIssuer);
    if (typeof ofSubject === 'string') return failed(index, 'subject', ofSubject);
    tests.push((identity) => ofIssuer(identity.issuer) && ofSubject(identity.subject));
  }
  return { is: 'test', isWanted: (identity) => tests.length === 0 || tests.some((test) => test(identity)) };
}

function whole(patterns: Patterns, pattern: string): ((text: string) => boolean) | string {
  if (pattern === '') return 'it is empty';
  // By itself first: `a)|(b` is no pattern, and would open what is put around it.
  const alone = patterns.compile(pattern);
  if (alone.is === 'invalid') return alone.message;
  const compiled = patterns.compile(`\\A(?:${pattern})\\z`);
  return compiled.is === 'invalid' ? compiled.message : compiled.isIn;
}

function failed(index: number, field: string, why: string): IdentityTest {
  return { is: 'failed', message: `spec.verify.matchOIDCIdentity[${index}].${field} is no regular expression: ${why}` };
}
