/** Where an artifact lies below the storage root, as Flux names it. Pure. */
export function artifactPath({ namespace, name }: Readonly<{ namespace: string; name: string }>, digest: string): string {
  return `externalartifact/${namespace}/${name}/${digest.slice(digest.indexOf(':') + 1)}.tar.gz`;
}
