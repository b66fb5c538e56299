/** A path below the root as the entries of an artifact are written; '' for the root; null for one that climbs out of it. Pure. */
export function cleanPath(path: string): string | null {
  if (path.includes('\0')) return null;
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') names.push(name);
    else if (names.pop() === undefined) return null;
  }
  return names.join('/');
}
