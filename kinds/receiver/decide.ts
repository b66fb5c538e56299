import type { Judged } from '#core/kind.ts';
import type { ReceiverObj, Seen } from './observe.ts';
import { webhookPath } from './path.ts';
import type { ReceiverStatus } from './schema.ts';

export type Act = Readonly<{ do: 'open'; digest: string }> | Readonly<{ do: 'close' }>;

/** The next thing to do for a receiver: close its path when nobody could prove anything, open it under the token's digest, else nothing. Pure. */
export function decide({ status }: ReceiverObj, seen: Seen): Act | Judged<typeof ReceiverStatus> {
  const shown = status?.webhookPath ?? '';
  if (seen.at !== 'token' && shown !== '') return { do: 'close' };
  switch (seen.at) {
    case 'unsupported':
      return { is: 'stalled', reason: 'UnsupportedField', message: seen.message };
    case 'tokenMissing':
      return { is: 'failed', reason: 'TokenNotFound', message: seen.message };
    case 'token':
      if (shown !== webhookPath(seen.digest)) return { do: 'open', digest: seen.digest };
      return { is: 'ready', reason: 'Succeeded', message: `Receiver initialized for path: ${shown}`, revision: '' };
  }
}
