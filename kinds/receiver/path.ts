import { createHash } from 'node:crypto';

/**
 * Lower-case hex SHA-256 over token, name and namespace, as `flux trigger receiver` computes it (fluxcd/notification-controller api/v1/receiver_types.go, GetWebhookPath).
 * Whoever knows it may call: it is as secret as the token, and never logged.
 */
export function pathDigest(token: Uint8Array, receiver: Readonly<{ namespace: string; name: string }>): string {
  return createHash('sha256').update(token).update(receiver.name, 'utf8').update(receiver.namespace, 'utf8').digest('hex');
}

export function webhookPath(digest: string): string {
  return `/hook/${digest}`;
}
