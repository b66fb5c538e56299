import type { BucketSpec } from './schema.ts';

/** A field that Flux knows and this release does not do yet: said plainly, never ignored in silence. Null when there is none. Pure. */
export function unsupportedField(spec: BucketSpec): string | null {
  const provider = spec.provider ?? 'generic';
  if (provider !== 'generic') return `spec.provider ${provider} is not served by this release: ${NEXT_STEP[provider]}`;
  if (spec.sts !== undefined)
    return `spec.sts with provider ${spec.sts.provider} is not served by this release: remove it, and put accesskey and secretkey into the Secret of spec.secretRef`;
  if (spec.proxySecretRef !== undefined) return 'spec.proxySecretRef is not served by this release: remove it; the plane connects directly';
  return null;
}

const NEXT_STEP = Object.freeze({
  aws: 'use provider generic with endpoint s3.<region>.amazonaws.com, the region, and an access key in spec.secretRef',
  gcp: 'use provider generic with endpoint storage.googleapis.com and an HMAC key of the bucket in spec.secretRef',
  azure: 'use provider generic with an S3-compatible store, or a GitRepository',
});
