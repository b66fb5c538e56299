/** Go programs are built the same way everywhere, so that the Go build cache is shared and the result can be compared. */
export const goFlags = {
  env: { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' },
  args: ['-trimpath', '-buildvcs=false'],
  ldflags: '-s -w',
} as const;

export type Platform = 'linux-amd64' | 'linux-arm64';

export type Download = Readonly<{
  /** `{os}` and `{arch}` are filled in. WEIR_TOOLS_MIRROR replaces scheme and host; the path stays. */
  url: string;
  /** Path of the program inside the .tar.gz, `{os}` and `{arch}` filled in, or null when the file is the program itself. */
  member: string | null;
  maxBytes: number;
  /** Of the downloaded file, by platform. A platform that is not here is not downloaded. */
  sha256: Readonly<Partial<Record<Platform, string>>>;
}>;

export type PinnedTool = Readonly<{
  name: string;
  version: string;
  /** How a program says its version, and what it must say: one from PATH is used only when this matches. */
  versionArgs: readonly string[];
  versionPattern: RegExp;
  /** Folder below tools/go with go.mod and go.sum, the package to build there, and linker flags that set the version. */
  go: Readonly<{ module: string; package: string; ldflags: string }>;
  /** How long the first build takes on two cores, for the person who waits. */
  buildHint: string;
  /** Left out where no checksum of the official release is known for certain: then it is built, never fetched unchecked. */
  download?: Download;
}>;

const kubernetesVersion = '1.37.2';
const kubernetesLdflags = [
  `-X k8s.io/component-base/version.gitVersion=v${kubernetesVersion}`,
  '-X k8s.io/component-base/version.gitMajor=1',
  '-X k8s.io/component-base/version.gitMinor=37',
  '-X k8s.io/component-base/version.gitTreeState=clean',
].join(' ');

/** The one table of pinned programs. A version changes here and in the go.mod named beside it, nowhere else. */
export const pinnedTools: readonly PinnedTool[] = [
  {
    name: 'kustomize',
    version: '5.8.1',
    versionArgs: ['version'],
    versionPattern: /^v5\.8\.1$/m,
    go: {
      module: 'kustomize',
      package: 'sigs.k8s.io/kustomize/kustomize/v5',
      ldflags: '-X sigs.k8s.io/kustomize/api/provenance.version=v5.8.1',
    },
    buildHint: '30 s',
    download: {
      url: 'https://github.com/kubernetes-sigs/kustomize/releases/download/kustomize%2Fv5.8.1/kustomize_v5.8.1_{os}_{arch}.tar.gz',
      member: 'kustomize',
      maxBytes: 64 * 1024 * 1024,
      sha256: {
        'linux-amd64': '029a7f0f4e1932c52a0476cf02a0fd855c0bb85694b82c338fc648dcb53a819d',
        'linux-arm64': '0953ea3e476f66d6ddfcd911d750f5167b9365aa9491b2326398e289fef2c142',
      },
    },
  },
  {
    name: 'helm',
    version: '4.3.1',
    versionArgs: ['version', '--template', '{{.Version}}'],
    versionPattern: /^v4\.3\.1$/m,
    go: {
      module: 'helm',
      package: 'helm.sh/helm/v4/cmd/helm',
      ldflags: [
        '-X helm.sh/helm/v4/internal/version.version=v4.3.1',
        '-X helm.sh/helm/v4/pkg/chart/common.k8sVersionMajor=1',
        '-X helm.sh/helm/v4/pkg/chart/common.k8sVersionMinor=37',
      ].join(' '),
    },
    buildHint: '2 min',
  },
  {
    // Our own: what helm has beside itself in its sandbox. Its version changes with its sources, whose digest names its place in the cache.
    name: 'weir-inside',
    version: '1.0.0',
    versionArgs: ['version'],
    versionPattern: /^weir-inside 1\.0\.0$/m,
    go: { module: 'inside', package: '.', ldflags: '' },
    buildHint: '20 s',
  },
  {
    name: 'etcd',
    version: '3.6.9',
    versionArgs: ['--version'],
    versionPattern: /^etcd Version: 3\.6\.9$/m,
    go: { module: 'etcd', package: 'go.etcd.io/etcd/server/v3', ldflags: '' },
    buildHint: '1 min',
  },
  kubernetes('kube-apiserver', ['--version'], /^Kubernetes v1\.37\.2$/m, '4 to 8 min'),
  kubernetes('kubectl', ['version', '--client', '--output=json'], /"gitVersion": "v1\.37\.2"/, '30 s'),
  kubernetes('kube-controller-manager', ['--version'], /^Kubernetes v1\.37\.2$/m, '1 to 3 min'),
  kubernetes('kube-scheduler', ['--version'], /^Kubernetes v1\.37\.2$/m, '20 s'),
  {
    name: 'kwok',
    version: '0.8.0',
    versionArgs: ['--version'],
    versionPattern: /^kwok version v0\.8\.0 /m,
    go: { module: 'kwok', package: 'sigs.k8s.io/kwok/cmd/kwok', ldflags: '-X sigs.k8s.io/kwok/pkg/consts.Version=v0.8.0' },
    buildHint: '1 to 2 min',
    download: {
      url: 'https://github.com/kubernetes-sigs/kwok/releases/download/v0.8.0/kwok-{os}-{arch}',
      member: null,
      maxBytes: 256 * 1024 * 1024,
      sha256: {
        'linux-amd64': 'f5a4385a2ae1b9dd7f8acae18e002a75c0ebba124ae9d7259aa8dadb50711f46',
        'linux-arm64': '628f7d277860f524a2a775c217adcc58828e7b59ab0933680315784f1b8b0e37',
      },
    },
  },
  {
    // An S3-compatible server for tests and the demo: it checks signatures and serves a folder.
    name: 'versitygw',
    version: '1.8.0',
    versionArgs: ['--version'],
    versionPattern: /^Version\s*: v?1\.8\.0$/m,
    go: { module: 's3', package: 'github.com/versity/versitygw/cmd/versitygw', ldflags: '-X main.Version=v1.8.0' },
    buildHint: '1 min',
  },
];

function kubernetes(name: string, versionArgs: readonly string[], versionPattern: RegExp, buildHint: string): PinnedTool {
  const go = { module: 'kubernetes', package: `k8s.io/kubernetes/cmd/${name}`, ldflags: kubernetesLdflags };
  return { name, version: kubernetesVersion, versionArgs, versionPattern, go, buildHint };
}
