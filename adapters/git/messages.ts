import { AppError } from '#core/errors.ts';

const MAX_MESSAGE_LENGTH = 512;
const AUTH_FAILED = /Authentication failed|could not read (?:Username|Password)|returned error: 40[13]\b|HTTP 40[13]\b/i;
const WORTHLESS = /^(?:hint|warning):|^\s*$/;
const PREFIX = /^(?:fatal|error|remote|ERROR):\s*/;
const URL_IN_TEXT = /[a-z][a-z0-9+.-]*:\/\/[^\s'"<>]*/gi;
const HEADER_IN_TEXT = /\b(authorization|proxy-authorization|cookie|x-[a-z-]*token)\b\s*[:=].*/gi;

/**
 * The error for a git that failed: the remote side's first meaningful line and git's own, without URLs, headers and the credential.
 * Pure. 401, 403 and a question for a user name become gitAuthFailed.
 */
export function failureOf(errorText: string, exitCode: number, secrets: readonly string[], cause: unknown): AppError {
  const code = AUTH_FAILED.test(errorText) ? 'gitAuthFailed' : 'gitFailed';
  const message = meaningfulLines(errorText)
    .map((line) => redact(line, secrets))
    .join(': ');
  return new AppError(
    code,
    message === '' ? `git ended with exit code ${exitCode} and no message` : message.slice(0, MAX_MESSAGE_LENGTH),
    {},
    { cause: withoutText(cause) },
  );
}

/** Takes every URL, header, control character and known secret out of a text that may be shown. Pure. */
export function redact(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) if (secret.length >= 3) clean = clean.replaceAll(secret, '***');
  return clean
    .replaceAll(URL_IN_TEXT, hostOf)
    .replaceAll(HEADER_IN_TEXT, '$1: ***')
    .replaceAll(/\p{C}/gu, ' ')
    .replaceAll(/ {2,}/g, ' ')
    .trim();
}

/** Every text a credential may appear as in a message: as it is, percent-encoded, and inside a basic header. */
export function secretTexts(values: readonly string[]): readonly string[] {
  return values
    .filter((value) => value !== '')
    .flatMap((value) => [
      value,
      encodeURIComponent(value),
      Buffer.from(value).toString('base64'),
      Buffer.from(value).toString('base64url'),
    ]);
}

function meaningfulLines(errorText: string): readonly string[] {
  const lines = errorText.split(/[\r\n]+/).filter((line) => !WORTHLESS.test(line));
  const remote = lines.find((line) => line.startsWith('remote:') && line.replace(PREFIX, '').trim() !== '');
  const own = lines.find((line) => /^(?:fatal|error):/.test(line)) ?? lines[0];
  return [remote, own === remote ? undefined : own].filter((line) => line !== undefined).map((line) => line.replace(PREFIX, ''));
}

function hostOf(url: string): string {
  const host = URL.parse(url)?.host;
  return host === undefined || host === '' ? '(address)' : host;
}

/** The library's error quotes git's whole output: only its class is kept. */
function withoutText(cause: unknown): Error {
  return new Error(cause instanceof Error ? `simple-git: ${cause.name}` : 'simple-git');
}
