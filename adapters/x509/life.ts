import { X509Certificate } from 'node:crypto';

export type Life = Readonly<{ fromMs: number; untilMs: number }>;

/** From when until when a PEM certificate is valid, in epoch ms. Throws when it is none. */
export function lifeOf(certificatePem: string): Life {
  const certificate = new X509Certificate(certificatePem);
  return { fromMs: certificate.validFromDate.getTime(), untilMs: certificate.validToDate.getTime() };
}

/** Whether it is time to renew: more than half of the certificate's life has passed. */
export function isHalfLifeOver(certificatePem: string, nowMs: number): boolean {
  const { fromMs, untilMs } = lifeOf(certificatePem);
  return nowMs >= (fromMs + untilMs) / 2;
}
