import { Agent, type RequestOptions, request } from 'node:https';

/** What it takes to talk to one API server as its administrator. */
export type ClusterAdmin = Readonly<{ server: string; caPem: string; certificatePem: string; keyPem: string }>;

export type ApiAnswer = Readonly<{ status: number; body: unknown }>;

const maxAnswerBytes = 16 * 1024 * 1024;

/**
 * One request with JSON both ways, a connection of its own. Answers with any status are returned; throws when there is no answer within
 * `timeoutMs`, when it is above 16 MiB, or no JSON where JSON is announced.
 */
export async function callCluster(
  admin: ClusterAdmin,
  call: Readonly<{ method: string; path: string; body?: unknown; contentType?: string; timeoutMs?: number }>,
): Promise<ApiAnswer> {
  const agent = new Agent({ keepAlive: false });
  const options: RequestOptions = {
    method: call.method,
    agent,
    ca: admin.caPem,
    cert: admin.certificatePem,
    key: admin.keyPem,
    signal: AbortSignal.timeout(call.timeoutMs ?? 5_000),
    headers: { accept: 'application/json', 'user-agent': 'demo-operator', 'content-type': call.contentType ?? 'application/json' },
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(call.path, admin.server), options, (incoming) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > maxAnswerBytes) incoming.destroy(new Error(`the answer of ${call.path} is above ${maxAnswerBytes} bytes`));
        else chunks.push(chunk);
      });
      incoming.once('error', reject);
      incoming.once('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const isJson = incoming.headers['content-type']?.startsWith('application/json') ?? false;
        try {
          resolve({ status: incoming.statusCode ?? 0, body: isJson ? JSON.parse(text) : text });
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
    outgoing.once('error', reject);
    outgoing.end(call.body === undefined ? undefined : JSON.stringify(call.body));
  });
}
