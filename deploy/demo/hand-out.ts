import { demoUsers } from '#deploy/plane/identity.ts';
import type { Narrator } from './narrator.ts';
import { runWeir } from './onboard.ts';
import type { Handed } from './people.ts';
import type { Scene } from './scene.ts';
import type { Stage } from './stage.ts';

/** What somebody needs to go on by themselves. */
export type HandOut = Readonly<{ stage: Stage; scene: Scene; admin: Handed; users: readonly Handed[]; workingCopy: string }>;

/** The line for scripts. */
export function readyEvent({ stage, scene, admin, users, workingCopy }: HandOut): Readonly<Record<string, unknown>> {
  return {
    plane: { url: stage.plane.url, caFile: stage.plane.caFile, logFile: stage.plane.logFile, pid: stage.plane.pid },
    platformAdmin: admin,
    users: users.map((one, index) => ({
      ...one,
      tenant: [scene.teamA, scene.teamB][index]?.name,
      namespace: [scene.teamA, scene.teamB][index]?.namespace,
    })),
    workloadClusters: stage.clusters.map((one) => ({
      name: one.name,
      server: one.server,
      kubeconfig: one.adminKubeconfigPath,
      auditLog: one.auditLogPath,
      bootstrapAccount: 'system:serviceaccount:weir-system:weir-bootstrap',
    })),
    git: { url: stage.git.url, repository: stage.git.urlOf(scene.teamA.repository), workingCopy, branch: 'main' },
    oidc: { issuer: stage.plane.issuer, users: demoUsers.map(({ id, groups }) => ({ id, groups })) },
    kubectl: stage.tools.kubectl,
  };
}

/** The tree, how to log in, and three commands to try. */
export async function goOnByHand({ stage, scene, admin, users, workingCopy }: HandOut, narrator: Narrator): Promise<void> {
  const [alice] = users;
  if (alice === undefined) return;
  const tree = await runWeir(
    ['tree', 'kustomization', 'podinfo', '-n', scene.teamA.namespace, '--kubeconfig', alice.kubeconfig],
    stage.dir,
  );
  const lines = [
    '',
    tree.trimEnd(),
    '',
    `Log in:   npm run weir -- login --server ${stage.plane.url} --ca ${stage.plane.caFile}   (anybody may be anybody here: ${demoUsers.map((one) => one.id).join(', ')})`,
    `Plane:    ${stage.plane.url}   kubeconfigs: ${[alice, ...users.slice(1), admin].map((one) => one.kubeconfig).join(' ')}`,
    `Clusters: ${stage.clusters.map((one) => `${one.name} ${one.adminKubeconfigPath}`).join('   ')}`,
    `Git:      ${stage.git.urlOf(scene.teamA.repository)}   working copy: ${workingCopy}`,
    '',
    'Try:',
    `  ${stage.tools.kubectl} --kubeconfig ${alice.kubeconfig} get kustomizations,gitrepositories,deliveries`,
    `  ${stage.tools.kubectl} --kubeconfig ${stage.clusters[0]?.adminKubeconfigPath ?? ''} -n ${scene.teamA.clusterNamespace} delete deployment podinfo; sleep 1; ${stage.tools.kubectl} --kubeconfig ${stage.clusters[0]?.adminKubeconfigPath ?? ''} -n ${scene.teamA.clusterNamespace} get deployment podinfo`,
    `  cd ${workingCopy} && sed -i 's/hello-[0-9]*/good-morning/' deploy/base/settings.yaml && git commit -qam 'Say good morning' && git push`,
  ];
  for (const line of lines) narrator.say(line);
}
