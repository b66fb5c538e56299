import { dropCredential } from '#adapters/postgres/cluster-access.ts';
import type { Admission } from '#services/api/admission/admission.ts';

/** The bootstrap credential of a cluster goes with the cluster. */
export const clusterAdmission: Admission = Object.freeze<Admission>({
  async besideDelete(tx, _context, before) {
    await dropCredential(tx, before.uid);
  },
});
