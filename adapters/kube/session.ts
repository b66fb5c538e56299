import type { Answer } from '#adapters/kube/answer.ts';
import type { TenantCertificate, TenantToken } from '#adapters/kube/credential.ts';
import type { ApiRequest, Pool, WatchAnswer, WatchRequest } from '#adapters/kube/pool.ts';
import { AppError } from '#core/errors.ts';

type TenantCredential = TenantToken | TenantCertificate;

/** Where one tenant account's credential comes from. */
export type CredentialSource = Readonly<{
  /** For messages. */
  account: string;
  /** What a person does when the cluster refuses it for good. */
  nextStep: string;
  get(signal: AbortSignal): Promise<TenantCredential>;
  /** Forgets one that the cluster answered with 401. False: there is no other to be had. */
  refused(credential: TenantCredential): boolean;
}>;

/** Requests to one cluster as one tenant account, and as nobody else. */
export type Session = Readonly<{
  account: string;
  clusterName: string;
  /** As Pool.request; a 401 is answered by one fresh token, a second one throws AppError clusterRefused naming the account and the next step. */
  request(request: Omit<ApiRequest, 'credential'>): Promise<Answer>;
  /** As Pool.watch with the same rule. `expiresAtMs` is null for a certificate. */
  watch(request: Omit<WatchRequest, 'credential'>): Promise<WatchAnswer & Readonly<{ expiresAtMs: number | null }>>;
}>;

export function createSession(pool: Pool, clusterName: string, source: CredentialSource): Session {
  function refused(): AppError {
    return new AppError('clusterRefused', `cluster ${clusterName} refuses ${source.account} (401); ${source.nextStep}`);
  }
  /** Runs once, and once more with a fresh credential after 401. There is no third try and no other identity (fault 26). */
  async function withCredential<T extends Readonly<{ status: number }>>(
    signal: AbortSignal,
    run: (credential: TenantCredential) => Promise<T>,
    discard: (answer: T) => void,
  ): Promise<Readonly<{ answer: T; credential: TenantCredential }>> {
    const first = await source.get(signal);
    const answer = await run(first);
    if (answer.status !== 401) return { answer, credential: first };
    discard(answer);
    if (!source.refused(first)) throw refused();
    const second = await source.get(signal);
    const again = await run(second);
    if (again.status !== 401) return { answer: again, credential: second };
    discard(again);
    source.refused(second);
    throw refused();
  }
  return Object.freeze({
    account: source.account,
    clusterName,
    async request(request: Omit<ApiRequest, 'credential'>): Promise<Answer> {
      const { answer } = await withCredential(
        request.signal,
        (credential) => pool.request({ ...request, credential }),
        () => undefined,
      );
      return answer;
    },
    async watch(request: Omit<WatchRequest, 'credential'>) {
      const { answer, credential } = await withCredential(
        request.signal,
        (one) => pool.watch({ ...request, credential: one }),
        (dropped) => void dropped.body.destroy(),
      );
      return { ...answer, expiresAtMs: credential.is === 'tenant' ? credential.expiresAtMs : null };
    },
  });
}
