export { refuseHandshake, WebSockets, type WebSocketOptions } from './web-sockets.ts';
