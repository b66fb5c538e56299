/**
 * `name <email>` as git writes it: without what would end the name or the line, and without punctuation around either (git's ident.c). Null when no name is left. Pure.
 */
export function identOf({ name, email }: Readonly<{ name: string; email: string }>): string | null {
  const shown = plain(name);
  return shown === '' ? null : `${shown} <${plain(email)}>`;
}

function plain(text: string): string {
  return text
    .replaceAll(/[\p{C}<>]/gu, '')
    .replace(/^[\s.,:;"\\']+/, '')
    .replace(/[\s.,:;"\\']+$/, '');
}
