/** What `git push --porcelain` says of the references that the remote refused. */
export type PushResult = Readonly<{
  refused: readonly string[] /** Somebody else was faster: to be done again on top of theirs. */;
  isOvertaken: boolean;
}>;

const OVERTAKEN =
  /\((?:fetch first|non-fast-forward|stale info|needs force)\)|cannot lock ref|failed to (?:lock|update ref)|reference already exists|incorrect old value|atomic/i;

/** Reads the lines `!<TAB><from>:<to><TAB><summary>`. Pure. */
export function parsePush(output: string): PushResult {
  const refused = output
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.split('\t').slice(2).join(' ').trim());
  return { refused, isOvertaken: refused.length > 0 && refused.every((one) => OVERTAKEN.test(one)) };
}
