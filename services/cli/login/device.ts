import type { Cli } from '#services/cli/cli.ts';
import type { StoredTokens } from '#services/cli/config/token-store.ts';
import { refused } from '#services/cli/failure.ts';
import { type LoginSettings, openProvider, tokensOf } from '#services/cli/login/provider.ts';

/** Device flow (RFC 8628): shows address, code and expiry, opens nothing, and asks until somebody has said yes elsewhere. Throws CliFailure. */
export async function loginByDevice(cli: Cli, settings: LoginSettings): Promise<StoredTokens> {
  const provider = await openProvider(cli, settings);
  const { library, config } = provider;
  try {
    const device = await library.initiateDeviceAuthorization(config, { scope: settings.scopes.join(' ') });
    cli.narrate.start(`open ${device.verification_uri} on any device and enter the code ${device.user_code}`);
    if (device.verification_uri_complete !== undefined)
      cli.narrate.say(`  or open ${device.verification_uri_complete} and compare the code`);
    cli.narrate.wait(`the code ends in ${Math.round(device.expires_in / 60)} min`);
    return tokensOf(await library.pollDeviceAuthorizationGrant(config, device, undefined, { signal: cli.signal }), null);
  } catch (error) {
    cli.signal.throwIfAborted();
    if (error instanceof library.ResponseBodyError)
      throw refused(`the identity provider refused the login: ${error.error_description ?? error.error}`, {
        next: 'run `weir login --method device` again',
      });
    throw error;
  } finally {
    provider.close();
  }
}
