import { createHash } from 'node:crypto';
import { mkdir, realpath, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { encoded, signedHeaders } from '#adapters/bucket/sign.ts';
import { type LocalAuthority, localServerCertificate } from '#deploy/local/certificates.ts';
import type { Children } from '#deploy/local/children.ts';
import { freePort } from '#deploy/local/ports.ts';
import { startProcess } from '#deploy/local/process.ts';

export type S3Server = Readonly<{
  /** `127.0.0.1:<port>`; TLS by the local authority. */
  host: string;
  region: string;
  accessKey: string;
  secretKey: string;
  logFile: string;
  /** Makes a bucket; one that is there stays. */
  makeBucket(name: string): Promise<void>;
  /** Writes an object by a signed request. Throws when the server refuses. */
  put(bucket: string, key: string, content: string): Promise<void>;
  /** Takes an object away, past the server. */
  drop(bucket: string, key: string): Promise<void>;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}>;

const address = '127.0.0.1';
const readyTimeoutMs = 20_000;
/** They protect nothing but a test server on this machine. */
const accessKey = 'weir-local';
const secretKey = 'local-only-secret-key';
const region = 'eu-test-1';

/** A real S3-compatible server (Versity S3 Gateway) on a free port of 127.0.0.1 with TLS, which checks every signature; its content lives in `dir`. Throws ProcessError. */
export async function startS3(
  children: Children,
  options: Readonly<{ dir: string; program: string; authority: LocalAuthority }>,
): Promise<S3Server> {
  await mkdir(options.dir, { recursive: true, mode: 0o700 });
  const dir = await realpath(options.dir);
  const [content, metadata] = [join(dir, 'content'), join(dir, 'metadata')];
  for (const one of [content, metadata]) await mkdir(one, { recursive: true, mode: 0o700 });
  const port = await freePort();
  const host = `${address}:${port}`;
  const logFile = join(dir, 's3.log');
  const certificate = await localServerCertificate(options.authority, 's3');
  const [certificateFile, keyFile] = [join(dir, 'tls.crt'), join(dir, 'tls.key')];
  await writeFile(certificateFile, certificate.certificatePem, { mode: 0o600 });
  await writeFile(keyFile, certificate.keyPem, { mode: 0o600 });
  const running = await startProcess(children, {
    name: 'S3 server',
    command: options.program,
    // A folder of its own for metadata, since not every file system keeps extended attributes.
    args: [
      '--quiet',
      '--port',
      host,
      '--region',
      region,
      '--cert',
      certificateFile,
      '--key',
      keyFile,
      'posix',
      '--sidecar',
      metadata,
      content,
    ],
    env: { ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey },
    cwd: dir,
    logFile,
    ready: () => answers(port, options.authority.certificatePem),
    readyTimeoutMs,
  });
  const stop = async (): Promise<void> => void (await running.stop());
  return Object.freeze({
    host,
    region,
    accessKey,
    secretKey,
    logFile,
    makeBucket: async (name: string) => void (await mkdir(join(content, name), { recursive: true, mode: 0o700 })),
    put: (bucket: string, key: string, text: string) => putObject(host, options.authority.certificatePem, { bucket, key, text }),
    drop: (bucket: string, key: string) => rm(join(content, bucket, key)),
    stop,
    [Symbol.asyncDispose]: stop,
  });
}

/** It refuses who does not sign: it is there. */
function answers(port: number, ca: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ host: address, port, path: '/', ca, timeout: 1_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 403 || response.statusCode === 401);
    });
    asked.once('timeout', () => asked.destroy());
    // Nobody listens yet: the time limit of the start tells in the end.
    asked.once('error', () => resolve(false));
    asked.end();
  });
}

function putObject(
  host: string,
  ca: string,
  { bucket, key, text }: Readonly<{ bucket: string; key: string; text: string }>,
): Promise<void> {
  const path = `/${[bucket, ...key.split('/')].map(encoded).join('/')}`;
  const headers = signedHeaders({
    method: 'PUT',
    host,
    path,
    query: [],
    region,
    credential: { accessKey, secretKey },
    bodySha256: createHash('sha256').update(text).digest('hex'),
    nowMs: Date.now(),
  });
  return new Promise((resolve, reject) => {
    const length = { 'content-length': Buffer.byteLength(text) };
    const asked = request(
      `https://${host}${path}`,
      { method: 'PUT', ca, headers: { ...headers, ...length }, timeout: 10_000 },
      (response) => {
        response.resume();
        if (response.statusCode === 200) resolve();
        else reject(new Error(`the S3 server answers ${response.statusCode} to a write`));
      },
    );
    asked.once('timeout', () => asked.destroy(new Error('the S3 server does not answer')));
    asked.once('error', reject);
    asked.end(text);
  });
}
