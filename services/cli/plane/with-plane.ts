import type { Cli, ReachOptions } from '#services/cli/cli.ts';
import { unanswered } from '#services/cli/failure.ts';
import type { Plane } from '#services/cli/plane/plane.ts';
import { reachPlane } from '#services/cli/plane/reach.ts';

/** Runs `work` with the plane that the options name; tells the plane's warnings, and closes the connections. */
export async function withPlane<T>(cli: Cli, options: ReachOptions, work: (plane: Plane) => Promise<T>): Promise<T> {
  const plane = await reachPlane(cli, options);
  try {
    return await work(plane);
  } finally {
    for (const warning of new Set(plane.takeWarnings())) cli.narrate.warn(warning);
    plane.close();
  }
}

/** The namespace to work in. Throws CliFailure (exit 2) when neither an option nor the context names one. */
export function namespaceOf(plane: Plane): string {
  if (plane.namespace !== null) return plane.namespace;
  throw unanswered('which namespace?', { next: 'name one with -n, or switch to a context with `weir use <tenant>/<namespace>`' });
}
