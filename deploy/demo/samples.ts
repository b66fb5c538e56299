/** The sample repositories: small applications in the shape that people know from podinfo. Plain data, written into git as they are. */

export const replicas = Object.freeze({ production: 2, staging: 1 });

function deployment(name: string, image: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels:
    app: ${name}
spec:
  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
    spec:
      containers:
        - name: ${name}
          image: ${image}
          envFrom:
            - configMapRef:
                name: ${name}-settings
          ports:
            - name: http
              containerPort: 9898
          resources:
            requests:
              cpu: 10m
              memory: 16Mi
`;
}

function service(name: string): string {
  return `apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
  selector:
    app: ${name}
  ports:
    - name: http
      port: 9898
      targetPort: http
`;
}

function autoscaler(name: string): string {
  return `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: ${name}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: ${name}
  minReplicas: 1
  maxReplicas: 4
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: 99
`;
}

/** The settings that the story changes by a push. `\${region}` is a variable of the cluster. */
export function settings(name: string, greeting: string): string {
  return `apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}-settings
data:
  greeting: ${greeting}
  region: \${region:=nowhere}
`;
}

/** A file of its own, so that the story can remove it. */
export function banner(name: string): string {
  return `apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}-banner
data:
  text: soon to be removed
`;
}

function overlay(count: number, name: string, extra: string): string {
  return `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ../../base
replicas:
  - name: ${name}
    count: ${count}
${extra}`;
}

/** podinfo of team-a: a base and two overlays. */
export function podinfoFiles(): Readonly<Record<string, string>> {
  const name = 'podinfo';
  return Object.freeze({
    'README.md': '# podinfo\n\nSample of `npm run demo`.\n',
    'deploy/base/kustomization.yaml': `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - deployment.yaml
  - service.yaml
  - hpa.yaml
  - settings.yaml
`,
    'deploy/base/deployment.yaml': deployment(name, 'ghcr.io/stefanprodan/podinfo:6.9.2'),
    'deploy/base/service.yaml': service(name),
    'deploy/base/hpa.yaml': autoscaler(name),
    'deploy/base/settings.yaml': settings(name, 'hello'),
    'deploy/overlays/production/kustomization.yaml': overlay(replicas.production, name, ''),
    'deploy/overlays/staging/kustomization.yaml': overlay(replicas.staging, name, 'nameSuffix: -staging\n'),
  });
}

/** The shop of team-b: plain manifests without a kustomization file. */
export function shopFiles(): Readonly<Record<string, string>> {
  const name = 'shop';
  return Object.freeze({
    'README.md': '# shop\n\nSample of `npm run demo`.\n',
    'manifests/deployment.yaml': deployment(name, 'ghcr.io/stefanprodan/podinfo:6.9.2'),
    'manifests/service.yaml': service(name),
    'manifests/settings.yaml': settings(name, 'welcome'),
    'manifests/banner.yaml': banner(name),
  });
}
