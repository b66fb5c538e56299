import type { Http2SecureServer, Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest, RouteGenericInterface } from 'fastify';

/** fastify on the server that speaks HTTP/2 and HTTP/1.1 by ALPN. */
export type App = FastifyInstance<Http2SecureServer, Http2ServerRequest, Http2ServerResponse, FastifyBaseLogger>;
export type Request = FastifyRequest<RouteGenericInterface, Http2SecureServer, Http2ServerRequest>;
export type Reply = FastifyReply<RouteGenericInterface, Http2SecureServer, Http2ServerRequest, Http2ServerResponse>;
