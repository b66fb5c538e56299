import { errorTable } from '#core/errors.ts';

const who = { user: 'the user', operator: 'the operator', us: 'the makers of Weir' } as const;

/** docs/errors.md: the error table as a page, in the table's own order. */
export async function makeErrorsPage(): Promise<string> {
  const rows = Object.entries(errorTable).map(([code, entry]) => {
    const retry = entry.retryable ? 'yes' : 'no';
    return `| \`${code}\` | ${entry.httpStatus} | ${entry.reason} | ${retry} | ${who[entry.who]} | ${entry.about.replaceAll('|', '\\|')} |`;
  });
  return [
    '# Errors',
    '',
    'Generated from `core/errors.ts` by `npm run generate`; do not edit.',
    '',
    'A refused request answers with a Kubernetes `Status` of this HTTP status and reason; a failed reconciliation shows the reason in its conditions.',
    '',
    '| code | HTTP | reason | again helps | who acts | what it means |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
