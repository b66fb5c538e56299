/** What a server of pull requests holds, whatever API it speaks. */
export type Pull = {
  number: number;
  head: string;
  base: string;
  title: string;
  body: string;
  labels: string[];
  state: 'open' | 'merged' | 'closed';
  headCommit: string;
  /** From a fork, whose branches may have any name. */
  fork: boolean;
};

/** Whether the head has commits that the base has not, and where a branch is; of the test's own git server, or fixed. */
export type Branches = Readonly<{ ahead(base: string, head: string): Promise<boolean>; commit(branch: string): Promise<string | null> }>;

export type ForgeState = {
  readonly repository: string;
  readonly pulls: Pull[];
  readonly labels: { id: number; name: string }[];
  branches: Branches;
};

export type Reply = Readonly<{ status: number; json?: unknown; headers?: Readonly<Record<string, string>> }>;
export type Incoming = Readonly<{
  method: string;
  path: string;
  query: URLSearchParams;
  json: Readonly<Record<string, unknown>>;
  state: ForgeState;
}>;
/** The routes of one API below its prefix; null for what it does not know. */
export type Dialect = (incoming: Incoming) => Promise<Reply | null>;

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export async function addPull(state: ForgeState, wanted: Pick<Pull, 'head' | 'base' | 'title' | 'body'> & Partial<Pull>): Promise<Pull> {
  const number = state.pulls.length + 1;
  const headCommit = (await state.branches.commit(wanted.head)) ?? '0'.repeat(40);
  const pull: Pull = { number, labels: [], state: 'open', headCommit, fork: false, ...wanted };
  state.pulls.push(pull);
  return pull;
}

export function openBetween(state: ForgeState, head: string, base: string): Pull | undefined {
  return state.pulls.find((one) => one.state === 'open' && one.head === head && one.base === base && !one.fork);
}
