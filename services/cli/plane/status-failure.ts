import { at, isObject, type JsonObject, textAt } from '#core/json.ts';
import { CliFailure, type ExitCode, exitCodes } from '#services/cli/failure.ts';

/** A failed answer of the plane, from its Kubernetes Status. A refusal is exit 1; what could not be answered is exit 2. */
export function statusFailure(status: JsonObject): CliFailure {
  const code = Number(at(status, 'code') ?? 0);
  const reason = textAt(status, 'reason') ?? '';
  return new CliFailure(exitOf(code), textAt(status, 'message') ?? `the plane answered ${code}`, {
    details: causesOf(status),
    status: { code, reason },
  });
}

function exitOf(code: number): ExitCode {
  return code >= 500 || code === 429 || code === 400 || code === 405 || code === 415 ? exitCodes.unanswered : exitCodes.no;
}

/** Each wrong field on a line of its own, when there are several: one stands in the message already. */
function causesOf(status: JsonObject): readonly string[] {
  const causes = at(status, 'details', 'causes');
  if (!Array.isArray(causes) || causes.length < 2) return [];
  return causes.filter(isObject).map((cause) => `${textAt(cause, 'field') ?? ''}: ${textAt(cause, 'message') ?? ''}`);
}

export function isStatus(error: unknown, code: number): error is CliFailure {
  return error instanceof CliFailure && error.more.status?.code === code;
}
