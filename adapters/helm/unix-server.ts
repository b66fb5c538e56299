import { chmod } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';

/** A socket for one run, which programs of the sandbox may connect to. Close ends every connection. */
export async function openUnixServer(socketPath: string, take: (socket: Socket) => void): Promise<Readonly<{ close(): Promise<void> }>> {
  const open = new Set<Socket>();
  const listener = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    take(socket);
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(socketPath, resolve);
  });
  await chmod(socketPath, 0o666);
  return Object.freeze({
    async close() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
    },
  });
}

/** All that comes until the other side ends. Above `maxBytes` the connection is cut and the given error thrown. */
export function readAll(socket: Socket, maxBytes: number, tooMuch: () => Error): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes <= maxBytes) return;
      reject(tooMuch());
      socket.destroy();
    });
    socket.once('end', () => resolve(Buffer.concat(chunks)));
    socket.once('close', () => reject(new Error('the program in the sandbox went away')));
  });
}
