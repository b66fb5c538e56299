import { AppError } from '#core/errors.ts';
import type { Forge, ForgeRemote, PullRequest, PullRequests } from '#core/pull-requests.ts';
import type { Api } from './api.ts';
import { type Ask, type AskOptions, createAsk } from './ask.ts';
import { bitbucket } from './bitbucket.ts';
import { gitea } from './gitea.ts';
import { github } from './github.ts';
import { gitlab } from './gitlab.ts';

const apis: Readonly<Record<Forge, Api>> = Object.freeze({ github, gitlab, gitea, bitbucket });

/** Requests on the four kinds of server through the one egress client. */
export function createPullRequests(options: AskOptions): PullRequests {
  const askAt = (remote: ForgeRemote, { timeoutMs }: Readonly<{ timeoutMs: number }>, signal: AbortSignal): Ask =>
    createAsk(options, remote, timeoutMs, signal);
  return Object.freeze({
    newest: async (remote, branches, limits, signal) =>
      pick(await apis[remote.forge].between(askAt(remote, limits, signal), remote, branches)),
    isAhead: (remote, branches, limits, signal) => apis[remote.forge].isAhead(askAt(remote, limits, signal), remote, branches),
    open: async (remote, wanted, limits, signal) => {
      const ask = askAt(remote, limits, signal);
      const api = apis[remote.forge];
      const opened = (await api.open(ask, remote, wanted)) ?? pick(await api.between(ask, remote, wanted));
      if (opened !== null) return opened;
      throw new AppError(
        'upstreamFailed',
        `${new URL(remote.apiUrl).host} refuses a pull request from ${wanted.head} into ${wanted.base} of ${remote.repository}: check that both branches exist`,
      );
    },
    update: (remote, number, text, limits, signal) => apis[remote.forge].update(askAt(remote, limits, signal), remote, number, text),
    close: (remote, number, limits, signal) => apis[remote.forge].close(askAt(remote, limits, signal), remote, number),
  } satisfies PullRequests);
}

function pick(found: readonly PullRequest[]): PullRequest | null {
  return found.find(({ state }) => state === 'open') ?? found[0] ?? null;
}
