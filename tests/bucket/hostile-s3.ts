import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export type HostileS3 = Readonly<{
  host: string;
  requests: { method: string; url: string; headers: IncomingMessage['headers'] }[];
  /** What it does with every request; by default it is a bucket with these keys, each holding `x`. */
  set(handle: (request: IncomingMessage, response: ServerResponse) => void): void;
  close(): Promise<void>;
}>;

/** A peer that speaks just enough of the protocol to lie. */
export async function startHostileS3(): Promise<HostileS3> {
  const requests: HostileS3['requests'] = [];
  let handle = (_request: IncomingMessage, response: ServerResponse): void => void response.end();
  const server = createServer((request, response) => {
    requests.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
    handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    host: `127.0.0.1:${address.port}`,
    requests,
    set: (next) => {
      handle = next;
      requests.length = 0;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

export type Entry = Readonly<{ key: string; etag?: string; size?: number }>;

/** One page of a listing; keys are written percent-encoded, as was asked. */
export function listing(entries: readonly Entry[], next: string | null = null): string {
  const contents = entries.map(
    ({ key, etag = 'e', size = 1 }) =>
      `<Contents><Key>${encodeURIComponent(key)}</Key><ETag>&quot;${etag}&quot;</ETag><Size>${size}</Size></Contents>`,
  );
  const more =
    next === null
      ? '<IsTruncated>false</IsTruncated>'
      : `<IsTruncated>true</IsTruncated><NextContinuationToken>${next}</NextContinuationToken>`;
  return `<?xml version="1.0"?><ListBucketResult><EncodingType>url</EncodingType>${more}${contents.join('')}</ListBucketResult>`;
}

/** A bucket with these keys, each holding `x`; no ignore file. */
export function bucketOf(entries: readonly Entry[]) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? '', 'http://s3');
    if (url.searchParams.has('list-type')) return void response.end(listing(entries));
    if (url.pathname.endsWith('/.sourceignore')) return void response.writeHead(404).end();
    response.end('x');
  };
}
