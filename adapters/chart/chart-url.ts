/** Address of a file below a repository. Query parameters of the repository's own address go along, as helm does. Null for what is no http address. Pure. */
export function urlBelow(repositoryUrl: string, reference: string): string | null {
  const base = URL.parse(repositoryUrl);
  if (base === null) return null;
  const { search } = base;
  if (!base.pathname.endsWith('/')) base.pathname = `${base.pathname}/`;
  const isAbsolute = /^[A-Za-z][A-Za-z0-9+.-]*:/.test(reference);
  const url = URL.parse(reference, base.href);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return null;
  if (!isAbsolute && url.search === '') url.search = search;
  return url.href;
}

/** Whether two addresses have the same scheme, host and port: a credential belongs to those three (threats B10). Pure. */
export function hasSameOrigin(left: string, right: string): boolean {
  const one = URL.parse(left);
  return one !== null && one.origin === URL.parse(right)?.origin;
}
