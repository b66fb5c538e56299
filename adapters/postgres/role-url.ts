import { appUrl, migrate } from './migrate.ts';
import type { AppRole } from './roles.ts';

type RoleUrlOptions = Readonly<{ databaseUrl: string; role: AppRole; appPassword: string | null; schedulerPassword: string | null }>;

/**
 * Where a process that runs alone finds the database under its own role. A URL of that role is taken as it is, so that a process need not hold the owner's login; with an
 * owner's, roles and schema are brought up to date first (idempotent; of several at once one works and the others wait). Throws when a password is missing for that.
 */
export async function roleUrl({ databaseUrl, role, appPassword, schedulerPassword }: RoleUrlOptions): Promise<string> {
  if (decodeURIComponent(new URL(databaseUrl).username) === role) return databaseUrl;
  if (appPassword === null || schedulerPassword === null) {
    throw new Error(
      `WEIR_DATABASE_URL is not a login of ${role}: use one, or set WEIR_DATABASE_APP_PASSWORD and WEIR_DATABASE_SCHEDULER_PASSWORD, the same for all processes`,
    );
  }
  await migrate({ ownerUrl: databaseUrl, appPassword, schedulerPassword });
  return appUrl(databaseUrl, role, role === 'weir_app' ? appPassword : schedulerPassword);
}
