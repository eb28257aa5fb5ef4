import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, WebSocketServer, type WebSocket } from 'ws';

export interface WebSocketOptions {
  /** The subprotocol that clients may ask for. A client that asks for others only is refused. */
  readonly subprotocol: string;
  /** The largest message of a client, which is held until its end has arrived. */
  readonly messageBytesMax: number;
  /**
   * Takes the bytes of a connection as if they came by a socket. It has the addresses of one and the
   * certificate of the client.
   */
  readonly accept: (stream: Socket) => void;
}

/** Pings are not answered while this many bytes wait for the client to read them. */
const unreadBytesMax = 64 * 1024;

/**
 * The WebSocket connections of a protocol: the handshake and the frames of RFC 6455. The messages of a
 * connection are a stream of bytes in both directions; where one ends means nothing.
 */
export class WebSockets {
  readonly #options: WebSocketOptions;
  readonly #server: WebSocketServer;

  constructor(options: WebSocketOptions) {
    const { subprotocol, messageBytesMax } = options;
    this.#options = options;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: messageBytesMax,
      autoPong: false,
      handleProtocols: () => subprotocol,
    });
  }

  /** Takes over a connection of an HTTP frontend. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const asked = request.headers['sec-websocket-protocol'];
    const { subprotocol, accept } = this.#options;
    if (asked !== undefined && !asked.split(',').some((name) => name.trim() === subprotocol))
      return refuseHandshake(socket, 400, `The only subprotocol here is ${subprotocol}.`);
    this.#server.handleUpgrade(request, socket, head, (client) => accept(streamOf(client, socket)));
  }
}

/** Answers a handshake that does not fit, and closes the connection. */
export function refuseHandshake(socket: Socket, status: number, reason: string): void {
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: text/plain\r\nconnection: close\r\n`;
  socket.once('finish', () => socket.destroy());
  socket.end(`${head}content-length: ${Buffer.byteLength(reason) + 1}\r\n\r\n${reason}\n`);
}

function streamOf(client: WebSocket, socket: Socket): Socket {
  client.on('ping', (data) => {
    if (socket.writableLength < unreadBytesMax) client.pong(data);
  });
  const stream = createWebSocketStream(client);
  // It ends when the client has closed, who reads nothing more; its reader hears of the end first.
  stream.once('end', () => process.nextTick(() => stream.destroy()));
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  const certificate =
    'getPeerX509Certificate' in socket
      ? { getPeerX509Certificate: (socket.getPeerX509Certificate as () => unknown).bind(socket) }
      : {};
  return Object.assign(stream, {
    remoteAddress,
    remotePort,
    localAddress,
    localPort,
    ...certificate,
  }) as Duplex as Socket;
}
