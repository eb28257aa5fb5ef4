export { HttpError } from './error.ts';
export { HttpFrontend, type HttpFrontendOptions } from './http-frontend.ts';
export { jsonPieces } from './json-pieces.ts';
export { type HttpLimits } from './limits.ts';
export { checkOrigin, type OriginRules } from './origin.ts';
export type { HttpReply } from './reply.ts';
export type { HttpRequest } from './request.ts';
export { findRoute, matchPath, type Route, type RouteParams } from './route.ts';
