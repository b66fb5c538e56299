import { AppError } from '#core/errors.ts';
import type { SigningKey } from '#core/git-writer.ts';
import type { Secrets } from '#core/ports.ts';
import type { ImageUpdateAutomationSpec } from './schema.ts';

type Key = NonNullable<ImageUpdateAutomationSpec['git']>['commit']['signingKey'];

const MAX_BYTES = 65_536;

/** Keys of the Secret as Flux names them (definitions.md 1.4): `git.asc` with `passphrase`, or `identity` with `password`. */
const NAMES = Object.freeze({ gpg: ['git.asc', 'passphrase'], ssh: ['identity', 'password'] } as const);

/** The private key of `spec.git.commit.signingKey`, read anew each time; null where none is asked for. Throws AppError gitFailed when there is none to be had: no unsigned commit is made in its place. */
export async function signingKey(secrets: Secrets, namespace: string, key: Key): Promise<SigningKey | null> {
  if (key === undefined) return null;
  const type = key.type ?? 'gpg';
  const [name, passphraseName] = NAMES[type];
  const shown = `Secret ${namespace}/${key.secretRef.name} of spec.git.commit.signingKey`;
  const values = await secrets.read(namespace, key.secretRef.name);
  if (values === null) throw new AppError('gitFailed', `${shown} does not exist: create it with the key ${name}`);
  const secret = values[name];
  if (secret === undefined || secret.byteLength === 0)
    throw new AppError('gitFailed', `${shown} has no key ${name}, which type ${type} needs`);
  if (secret.byteLength > MAX_BYTES) throw new AppError('gitFailed', `${shown}: ${name} has more than ${MAX_BYTES} bytes`);
  const passphrase = values[passphraseName];
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { type, secret: text(secret), passphrase: passphrase === undefined ? null : text(passphrase) };
}
