const MAX_MESSAGE_CHARS = 2_048;

/**
 * What helm said, fit to be shown: one line, without places of this machine or the sandbox, tokens, and quoted content (templates quote values, and those
 * may hold secrets); at most 2 KB. Pure.
 */
export function readableHelmError(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => !/^(level=|time=|W\d{4}|I\d{4}|WARNING:)/.test(line));
  const text = lines
    .join('\n')
    .trim()
    .replace(/^Error: /, '');
  const crash = /^(fatal error|panic|runtime): ?(.*)$/m.exec(text);
  if (crash !== null) return `helm ended with ${crash[1]}: ${(crash[2] ?? '').slice(0, 120)}`;
  const shown = text
    .replaceAll(/https:\/\/127\.0\.0\.1:6443/g, 'the API server')
    .replaceAll(/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, '…')
    .replaceAll(/(^|[\s"'`:(])\/(in|tmp|tool|weir|root|home|var|nonexistent)\/[^\s'":\])]*/g, '$1…')
    .replaceAll(/`[^`]*`/g, '`…`')
    .replaceAll(/"(?:[^"\\]|\\.){64,}"/g, '"…"')
    .replaceAll(/\s*\n\s*/g, ' ');
  return shown.length <= MAX_MESSAGE_CHARS ? shown : `${shown.slice(0, MAX_MESSAGE_CHARS - 1)}…`;
}
