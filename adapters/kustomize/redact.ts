const MAX_MESSAGE_BYTES = 2_048;
/** Lists of file names, not of content. */
const FILE_LISTS = /\b(file sources|env source files): \[([\w./= …-]*)\]/g;
/** Names that kustomize prints for what an object does not have. */
const HARMLESS = /^\[no(Grp|Ns|Ver|Name|Kind)\]/;

/**
 * What kustomize said, fit to be shown: without places of this machine, without quoted file content (it quotes patches and literals when it cannot read
 * them, and those may hold secrets), at most 2 KB. Pure.
 */
export function readableError(stderr: string, inputDir: string): string {
  const text = stderr
    .replace(/^# Warning:.*\n/gm, '')
    .trim()
    .replace(/^Error: /, '');
  const crash = /^(fatal error|panic|runtime): ?(.*)$/m.exec(text);
  if (crash !== null) return `kustomize ended with ${crash[1]}: ${(crash[2] ?? '').slice(0, 120)}`;
  const bare = withoutPlaces(text, inputDir);
  const shown = withoutQuotes(bare).replace(/\s*\n\s*/g, ' ');
  return shown.length <= MAX_MESSAGE_BYTES ? shown : `${shown.slice(0, MAX_MESSAGE_BYTES - 1)}…`;
}

function withoutPlaces(text: string, inputDir: string): string {
  return text
    .replaceAll(`${inputDir}/`, '')
    .replaceAll(/\/[^\s'":\]]*\/run-[A-Za-z0-9]{6}\/in\//g, '')
    .replaceAll('/in/', '')
    .replaceAll(/\/(tmp|root|home|var)\/[^\s'":\]]*/g, '…');
}

function withoutQuotes(text: string): string {
  const withoutBlocks = text.replace(/`[^`]*`/g, '`…`').replace(/\b(invalid literal source) .*?(, expected|$)/g, '$1 …$2');
  return cutBrackets(withoutBlocks.replace(FILE_LISTS, '$1: ($2)'));
}

/** From the first bracket that may quote content to the last one that closes: inner brackets belong to the content. */
function cutBrackets(text: string): string {
  let from = text.indexOf('[');
  while (from >= 0 && HARMLESS.test(text.slice(from))) from = text.indexOf('[', from + 1);
  if (from < 0) return text;
  let to = text.lastIndexOf(']');
  while (to > from && HARMLESS.test(text.slice(text.lastIndexOf('[', to)))) to = text.lastIndexOf(']', text.lastIndexOf('[', to) - 1);
  return to <= from ? `${text.slice(0, from)}[…` : `${text.slice(0, from)}[…]${text.slice(to + 1)}`;
}
