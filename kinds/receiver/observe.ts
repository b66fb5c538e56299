import type { Ctx, Obj } from '#core/kind.ts';
import { pathDigest } from './path.ts';
import type { ReceiverSpec, ReceiverStatus } from './schema.ts';
import { unsupportedField } from './support.ts';

export type ReceiverObj = Obj<'definition', typeof ReceiverSpec, typeof ReceiverStatus>;

/** What was seen. The token itself stays in here. */
export type Seen =
  | Readonly<{ at: 'unsupported'; message: string }>
  | Readonly<{ at: 'tokenMissing'; message: string }>
  | Readonly<{ at: 'token'; digest: string }>;

/** Reads the Secret that `spec.secretRef` names. */
export async function observe(ctx: Ctx<'secrets' | 'hooks'>, { definition, spec }: ReceiverObj): Promise<Seen> {
  const unsupported = unsupportedField(spec);
  if (unsupported !== null) return { at: 'unsupported', message: unsupported };
  const name = spec.secretRef?.name ?? '';
  const values = await ctx.secrets.read(definition.namespace, name);
  if (values === null)
    return { at: 'tokenMissing', message: `Secret ${definition.namespace}/${name} not found: create it with the key token` };
  const token = values['token'];
  if (token === undefined || token.byteLength === 0)
    return { at: 'tokenMissing', message: `Secret ${definition.namespace}/${name} has no key token` };
  return { at: 'token', digest: pathDigest(token, definition) };
}
