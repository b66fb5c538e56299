import { isShortRefName } from '#core/git-values.ts';
import { at, isObject, type JsonObject, textAt } from '#core/json.ts';
import { forges } from '#core/pull-requests.ts';
import { accessOf, allVerbs, type Resource } from '#core/resource.ts';
import { apiUrlProblem, repositoryProblem } from './remote.ts';
import { PullRequestPolicyBody, PullRequestPolicyStatus } from './schema.ts';

/** weir.dev/v1 PullRequestPolicy, beside the automations that it speaks of. */
export const resource = Object.freeze<Resource>({
  group: 'weir.dev',
  version: 'v1',
  kind: 'PullRequestPolicy',
  plural: 'pullrequestpolicies',
  singular: 'pullrequestpolicy',
  shortNames: ['prpol'],
  categories: ['weir'],
  scope: 'Namespaced',
  verbs: allVerbs,
  subresources: [{ name: 'status', kind: 'PullRequestPolicy', verbs: ['get'], access: 'viewer' }],
  columns: [
    { name: 'Requests', type: 'string', jsonPath: '.status.requests[*].url' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  body: PullRequestPolicyBody,
  status: PullRequestPolicyStatus,
  initialStatus: { observedGeneration: -1 },
  access: accessOf({ read: 'viewer', write: 'editor' }),
  platform: 'read',
  finalizer: null,
  fieldSelectors: [],
  secretFields: [],
  validate: checkPullRequestPolicy,
});

const ONE_LINE = /^\P{C}+$/u;
const LABEL = /^[^\p{C},]+$/u;

/** What a schema cannot say: values keep the meaning that they have on the server. */
function checkPullRequestPolicy(object: JsonObject): readonly Readonly<{ field: string; message: string }>[] {
  const spec = object['spec'];
  if (!isObject(spec)) return [];
  const found: { field: string; message: string }[] = [];
  const say = (field: string, message: string | null): void => void (message === null || found.push({ field: `spec.${field}`, message }));
  const forge = forges.find((one) => one === spec['provider']);
  const [url, repository, base, title] = ['url', 'repository', 'base', 'title'].map((key) => textAt(spec, key));
  const labels = at(spec, 'labels');
  if (at(spec, 'automations', 'names') === undefined && at(spec, 'automations', 'selector') === undefined)
    say('automations', 'names or selector is required; an empty matchLabels selects every automation of the namespace');
  if (url !== undefined) say('url', apiUrlProblem(url));
  else if (forge === 'gitea') say('url', 'is required for gitea, such as https://gitea.example.org/api/v1');
  if (repository !== undefined && forge !== undefined) say('repository', repositoryProblem(forge, repository));
  if (base !== undefined && !isShortRefName(base)) say('base', 'must be a branch name by the rules of git check-ref-format');
  if (title !== undefined && !ONE_LINE.test(title)) say('title', 'must be one line without control characters');
  if (Array.isArray(labels) && forge === 'bitbucket' && labels.length > 0) say('labels', 'must be empty: Bitbucket has no labels');
  if (Array.isArray(labels) && !labels.every((one) => typeof one === 'string' && LABEL.test(one)))
    say('labels', 'must each be one line without commas');
  return found;
}
