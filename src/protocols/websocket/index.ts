export { refuseHandshake, WebSockets } from './web-sockets.ts';
