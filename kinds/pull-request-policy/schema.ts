import Type, { type Static } from 'typebox';
import { forges } from '#core/pull-requests.ts';
import { ConditionSchema, closed, duration, flag, list, oneOf, text } from '#core/schema.ts';

/** Spec and status of the PullRequestPolicy. Ours alone: Flux leaves pull requests to the user's own automation. */

const MAX_LABEL = 317;
const Labels = Type.Record(Type.String({ maxLength: MAX_LABEL }), Type.String({ maxLength: 63 }), {
  description: 'Labels that must all be there with these values; none: every one of the namespace.',
});

export const PullRequestPolicySpec = closed(
  {
    automations: closed(
      {
        names: Type.Optional(list(Type.String({ minLength: 1, maxLength: 253 }), 'Names; at most 50.', { maxItems: 50 })),
        selector: Type.Optional(closed({ matchLabels: Labels }, { description: 'Selects by labels.' })),
      },
      { description: 'ImageUpdateAutomations of this namespace: all that match every given part.' },
    ),
    provider: oneOf(forges, 'What kind of server it is; `gitea` is Forgejo as well, `bitbucket` is Bitbucket Cloud.'),
    url: Type.Optional(
      text('Where the REST API begins; that of github.com, gitlab.com or bitbucket.org when absent. Needed for gitea.', {
        maxLength: 2_048,
      }),
    ),
    repository: Type.Optional(
      text('Repository as `owner/name` (GitLab: with all groups); the path of the GitRepository’s URL when absent.', {
        minLength: 3,
        maxLength: 512,
      }),
    ),
    secretRef: closed(
      { name: text('Name of the Secret.', { minLength: 1, maxLength: 253 }) },
      { description: 'Secret with `token`, or `username` and `password`; and `ca.crt` for a server with a private authority.' },
    ),
    base: Type.Optional(
      text('Branch that requests are to be merged into; the one that the automation checks out when absent.', {
        minLength: 1,
        maxLength: 255,
      }),
    ),
    requestPer: Type.Optional(
      oneOf(
        ['Automation', 'Policy'],
        '`Automation`: each has a request of its own. `Policy`: all share one, and must push to the same branch.',
        {
          default: 'Automation',
        },
      ),
    ),
    title: Type.Optional(text('Title of requests; `Update images (<head>)` when absent.', { minLength: 1, maxLength: 200 })),
    labels: Type.Optional(
      list(
        Type.String({ minLength: 1, maxLength: 50 }),
        'Labels that requests get; others on them stay. Not for bitbucket, which has none.',
        {
          maxItems: 20,
        },
      ),
    ),
    interval: Type.Optional(duration('Time between looks when nothing is pushed.', { default: '10m' })),
    suspend: Type.Optional(flag('Leave requests as they are.')),
  },
  { description: 'Opens pull requests for branches that image automations push to.' },
);
export type PullRequestPolicySpec = Static<typeof PullRequestPolicySpec>;

const Request = closed(
  {
    automations: list(Type.String({ maxLength: 253 }), 'Whose commits are in it.', { maxItems: 50 }),
    repository: text('Repository.', { maxLength: 512 }),
    head: text('Branch that is to be merged.', { maxLength: 512 }),
    base: text('Branch that it is to be merged into.', { maxLength: 512 }),
    state: oneOf(
      ['Open', 'Merged', 'Closed', 'UpToDate', 'Failed'],
      'UpToDate: the head has nothing that the base has not. Merged, Closed: at this commit; a newer one opens another request.',
    ),
    commit: text('Newest commit of the head that was looked at.', { maxLength: 64 }),
    number: Type.Optional(Type.Integer({ description: 'Number on the server.', minimum: 1 })),
    url: Type.Optional(text('Its page.', { maxLength: 2_048 })),
    message: Type.Optional(text('Why it failed, or who opened it.', { maxLength: 1_024 })),
  },
  { description: 'One request.' },
);
export type Request = Static<typeof Request>;

export const PullRequestPolicyStatus = closed({
  observedGeneration: Type.Optional(
    Type.Integer({ description: 'Last generation that became ready or stalled; -1 before the first run.' }),
  ),
  conditions: Type.Optional(list(ConditionSchema, 'Ready, Reconciling, Stalled.')),
  lastHandledReconcileAt: Type.Optional(text('The value of reconcile.fluxcd.io/requestedAt that was handled last.')),
  requests: Type.Optional(list(Request, 'Requests of this policy, by head.', { maxItems: 100 })),
});
export type PullRequestPolicyStatus = Static<typeof PullRequestPolicyStatus>;

export const PullRequestPolicyBody = closed({ spec: PullRequestPolicySpec });
