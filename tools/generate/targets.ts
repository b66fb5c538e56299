import { makeErrorsPage } from './errors-page.ts';

export type Target = Readonly<{ path: string; make: () => Promise<string> }>;

/** Every file that is written by `npm run generate` and compared by `npm run check`. A new one is one line here. */
export const targets: readonly Target[] = [{ path: 'docs/errors.md', make: makeErrorsPage }];
