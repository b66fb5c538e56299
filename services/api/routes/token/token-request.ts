import type { Cause } from '#core/errors.ts';
import { AppError } from '#core/errors.ts';
import { isObject, type Json, type JsonObject } from '#core/json.ts';
import type { Body } from '#services/api/wire/call.ts';
import { decodeObject } from '#services/api/wire/decode.ts';
import { invalid } from '#services/api/wire/status.ts';

/** What is granted of a TokenRequest. */
export type TokenWish = Readonly<{ audiences: readonly string[]; seconds: number }>;

const tokenRequest = Object.freeze({ group: 'authentication.k8s.io', plural: 'tokenrequests', kind: 'TokenRequest' });
const defaultSeconds = 3_600;
const minSeconds = 600;
/** Kubernetes' own upper bound of the field. */
const maxWishSeconds = 2 ** 32;

/**
 * Reads authentication.k8s.io/v1 TokenRequest. A longer life than the platform allows is cut to it, as the granted spec shows. Throws AppError invalid for a shorter one than
 * 10 minutes, for an audience that is not this plane, and for a bound object; badRequest for a body that is no TokenRequest. Pure.
 */
export function readTokenRequest(body: Body | null, options: Readonly<{ name: string; publicUrl: string; maxSeconds: number }>): TokenWish {
  const value = body === null ? {} : decodeObject(body).value;
  checkType(value);
  const spec = isObject(value.spec) ? value.spec : {};
  const causes: Cause[] = [];
  const seconds = secondsOf(spec.expirationSeconds ?? defaultSeconds, causes);
  checkAudiences(spec.audiences ?? [], options.publicUrl, causes);
  if (isObject(spec.boundObjectRef)) {
    causes.push({
      reason: 'FieldValueForbidden',
      field: 'spec.boundObjectRef',
      message: 'Forbidden: tokens are bound to their ServiceAccount only',
    });
  }
  if (causes.length > 0) throw invalid(tokenRequest, options.name, causes);
  return { audiences: [options.publicUrl], seconds: Math.min(seconds, options.maxSeconds) };
}

function checkType({ apiVersion, kind }: JsonObject): void {
  const isRequest =
    (apiVersion ?? 'authentication.k8s.io/v1') === 'authentication.k8s.io/v1' && (kind ?? 'TokenRequest') === 'TokenRequest';
  if (!isRequest) throw new AppError('badRequest', 'this path takes TokenRequest in authentication.k8s.io/v1');
}

function secondsOf(value: Json, causes: Cause[]): number {
  const field = 'spec.expirationSeconds';
  if (typeof value !== 'number' || !Number.isInteger(value) || value > maxWishSeconds) {
    causes.push({ reason: 'FieldValueInvalid', field, message: 'Invalid value: must be a whole number of seconds, at most 2^32' });
    return defaultSeconds;
  }
  if (value < minSeconds)
    causes.push({
      reason: 'FieldValueInvalid',
      field,
      message: `Invalid value: ${value}: may not specify a duration less than 10 minutes`,
    });
  return value;
}

function checkAudiences(value: Json, publicUrl: string, causes: Cause[]): void {
  if (Array.isArray(value) && value.every((one) => one === publicUrl)) return;
  const message = `Invalid value: tokens of this plane are for ${publicUrl} alone: leave the audiences out`;
  causes.push({ reason: 'FieldValueInvalid', field: 'spec.audiences', message });
}
