import { type Part, serve } from '#adapters/process/serve.ts';
import { readVersion } from '#adapters/process/version.ts';
import { systemProgram } from '#adapters/sandbox/rlimits.ts';
import { ConfigError, readConfig } from '#core/config.ts';
import { requiredIssuer, sharedStores } from '#core/config-shared.ts';
import { openChildren } from '#deploy/local/children.ts';
import { startPlane } from '#deploy/single.ts';

/** The whole plane in one container, with stores and an issuer of its own: nothing embedded, nothing fetched at the start. */
async function open(): Promise<Part> {
  const config = readConfig(process.env);
  sharedStores(config);
  requiredIssuer(config);
  const kustomize = config.kustomize ?? (await systemProgram('kustomize'));
  if (kustomize === null) throw new ConfigError(['WEIR_KUSTOMIZE must name the pinned kustomize: none is in the system folders']);
  const bwrap = await systemProgram('bwrap');
  // Without helm everything but HelmReleases works; those say what is missing.
  const helm = config.helm ?? (await systemProgram('helm'));
  const helmInside = config.helmInside ?? (await systemProgram('weir-inside'));
  const tools = { kustomize, helm, helmInside, redis: null, bwrap: bwrap === null ? null : { command: [bwrap], env: {} } };
  const plane = await startPlane({ config, children: openChildren(), tools, version: await readVersion(), logTo: 'stdout' });
  return { said: [`Weir listens on ${plane.url} (CA: ${plane.caFile})`, ...plane.notes].join('\n'), stop: () => plane.stop() };
}

await serve(open);
