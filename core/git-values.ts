/**
 * Grammars of what a person may write about a git source. The API's validation and the git adapter both use them, so that nothing
 * which could be read as an option, a path, a transport helper or a second line ever reaches git (threats C1, C2, C5, C7).
 */
export type GitUrl = Readonly<{
  scheme: 'https' | 'http' | 'ssh' /** Written anew by the platform's parser: what git is given. */;
  href: string;
  origin: string;
  host: string;
  port: number;
}>;

const MAX_URL_LENGTH = 2_048;
const MAX_REF_LENGTH = 512;
const DEFAULT_PORT: Readonly<Record<string, number>> = Object.freeze({ https: 443, http: 80, ssh: 22 });
const BLANK_OR_CONTROL = /[\u0000-\u0020\u007f-\u00a0\u2028\u2029\\]/;
const REF_FORBIDDEN = /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)|^[./-]|[./]$|^@$/;
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** The parsed URL, or a sentence that says what is wrong with it (never quoting it, since it may hold a password). Pure. */
export function parseGitUrl(text: string): GitUrl | string {
  if (text.length > MAX_URL_LENGTH) return `must be at most ${MAX_URL_LENGTH} characters`;
  if (BLANK_OR_CONTROL.test(text)) return 'must not contain blanks, control characters or backslashes';
  const scheme = /^(https|http|ssh):\/\//.exec(text)?.[1];
  if (scheme !== 'https' && scheme !== 'http' && scheme !== 'ssh') return 'must start with https://, http:// or ssh://';
  const url = URL.parse(text);
  if (url === null) return 'is not a URL';
  if (url.hostname === '' || url.hostname.startsWith('-') || /[%@]/.test(url.hostname)) return 'must name a host';
  if (url.password !== '' || (url.username !== '' && scheme !== 'ssh'))
    return 'must not contain a user name or password: put them into a Secret and name it in spec.secretRef';
  if (/[?#]/.test(text)) return 'must not contain a query or fragment';
  if (url.username !== '' && !/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(url.username)) return 'has a user name that ssh may misread';
  return Object.freeze({
    scheme,
    href: url.href,
    origin: `${scheme}://${url.host}`,
    host: url.hostname,
    port: url.port === '' ? (DEFAULT_PORT[scheme] ?? 0) : Number(url.port),
  });
}

/** Whether a text is a full reference name such as `refs/heads/main` by the rules of `git check-ref-format`. Pure. */
export function isFullRefName(text: string): boolean {
  return text.startsWith('refs/') && text.split('/').length >= 3 && isRefPath(text);
}

/** Whether a text is what stands behind `refs/heads/` or `refs/tags/`; a leading dash is refused as by `git check-ref-format --branch`. Pure. */
export function isShortRefName(text: string): boolean {
  return isRefPath(text);
}

/** Whether a text is a whole commit hash, SHA-1 or SHA-256, in lower case. Pure. */
export function isCommitHash(text: string): boolean {
  return COMMIT.test(text);
}

/** `sha1:<hash>` or `sha256:<hash>`. */
export function commitDigest(commit: string): string {
  return commit.length === 64 ? `sha256:${commit}` : `sha1:${commit}`;
}

function isRefPath(text: string): boolean {
  return text !== '' && text.length <= MAX_REF_LENGTH && text.isWellFormed() && !REF_FORBIDDEN.test(text);
}
