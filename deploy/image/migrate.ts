import { migrate } from '#adapters/postgres/migrate.ts';
import { type Config, ConfigError, readConfig } from '#core/config.ts';

/** Brings roles and schema up to date and ends: for installations in which only this job knows the owner's login. Idempotent. */
async function main(): Promise<void> {
  await migrate(wanted(readConfig(process.env)));
  process.stdout.write('Weir: roles and schema are up to date\n');
}

function wanted({ databaseUrl, databaseAppPassword, databaseSchedulerPassword }: Config) {
  if (databaseUrl === null || databaseAppPassword === null || databaseSchedulerPassword === null) {
    throw new ConfigError(['WEIR_DATABASE_URL, WEIR_DATABASE_APP_PASSWORD and WEIR_DATABASE_SCHEDULER_PASSWORD must be set to migrate']);
  }
  return { ownerUrl: databaseUrl, appPassword: databaseAppPassword, schedulerPassword: databaseSchedulerPassword };
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof ConfigError ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
