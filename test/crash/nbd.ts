import type { Socket } from 'node:net';

/*
 * The network block device protocol, as much of it as a client needs that reads, writes and flushes
 * (https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md): fixed newstyle negotiation, simple
 * replies.
 */

const serverMagic = 0x4e42444d41474943n; // "NBDMAGIC"
const optionMagic = 0x49484156454f5054n; // "IHAVEOPT"
const optionReplyMagic = 0x3e889045565a9n;
const requestMagic = 0x25609513;
const replyMagic = 0x67446698;

const handshakeFlags = { fixedNewstyle: 1, noZeroes: 2 } as const;
const option = { exportName: 1, abort: 2, info: 6, go: 7 } as const;
const reply = { ack: 1, info: 3, errorUnsupported: 0x80000001 } as const;
const transmissionFlags = { hasFlags: 1, sendFlush: 4, sendFua: 8 } as const;
const command = { read: 0, write: 1, disconnect: 2, flush: 3 } as const;
const fuaFlag = 1;
const einval = 22;
const requestBytes = 28;
const optionHeaderBytes = 16;
const flags = transmissionFlags.hasFlags | transmissionFlags.sendFlush | transmissionFlags.sendFua;

/** The storage behind a block device. */
export interface BlockDevice {
  readonly bytes: number;
  read(position: number, length: number): Buffer;
  /** `fua`: durable when it is answered. */
  write(position: number, data: Buffer, fua: boolean): void;
  /** When this is answered, everything answered before is durable. */
  flush(): void;
  /** A new turn of input starts: earlier requests have been answered. */
  turn(): void;
}

/** Serves a block device to one client. */
export function serveNbd(socket: Socket, device: BlockDevice): void {
  const greeting = Buffer.alloc(18);
  greeting.writeBigUInt64BE(serverMagic, 0);
  greeting.writeBigUInt64BE(optionMagic, 8);
  greeting.writeUInt16BE(handshakeFlags.fixedNewstyle | handshakeFlags.noZeroes, 16);
  socket.write(greeting);

  let phase: 'flags' | 'options' | 'requests' = 'flags';
  let input: Buffer = Buffer.alloc(0);
  const take = (length: number): Buffer => {
    const taken = input.subarray(0, length);
    input = input.subarray(length);
    return taken;
  };
  /** Handles the request at the start of the input; false if it is not complete yet. */
  const step = (): boolean => {
    if (phase === 'flags') {
      if (input.length < 4) return false;
      take(4);
      phase = 'options';
      return true;
    }
    if (phase === 'options') {
      if (input.length < optionHeaderBytes) return false;
      const length = input.readUInt32BE(12);
      if (input.length < optionHeaderBytes + length) return false;
      const kind = take(optionHeaderBytes + length).readUInt32BE(8);
      if (answerOption(socket, device, kind)) phase = 'requests';
      return true;
    }
    if (input.length < requestBytes) return false;
    const kind = input.readUInt16BE(6);
    const length = kind === command.write ? input.readUInt32BE(24) : 0;
    if (input.length < requestBytes + length) return false;
    const request = take(requestBytes);
    answerRequest(socket, device, request, take(length));
    return true;
  };
  socket.on('data', (chunk: Buffer) => {
    input = input.length === 0 ? chunk : Buffer.concat([input, chunk]);
    device.turn();
    socket.cork();
    while (step()) {
      // one after the other
    }
    socket.uncork();
  });
  socket.on('error', () => socket.destroy());
}

/** True when the negotiation is over. */
function answerOption(socket: Socket, device: BlockDevice, kind: number): boolean {
  const respond = (type: number, data: Buffer): void => {
    const header = Buffer.alloc(20);
    header.writeBigUInt64BE(optionReplyMagic, 0);
    header.writeUInt32BE(kind, 8);
    header.writeUInt32BE(type, 12);
    header.writeUInt32BE(data.length, 16);
    socket.write(Buffer.concat([header, data]));
  };
  const size = Buffer.alloc(10);
  size.writeBigUInt64BE(BigInt(device.bytes), 0);
  size.writeUInt16BE(flags, 8);
  switch (kind) {
    case option.exportName:
      socket.write(size);
      return true;
    case option.info:
    case option.go:
      respond(reply.info, Buffer.concat([Buffer.alloc(2), size]));
      respond(reply.ack, Buffer.alloc(0));
      return kind === option.go;
    case option.abort:
      respond(reply.ack, Buffer.alloc(0));
      socket.end();
      return false;
    default:
      respond(reply.errorUnsupported, Buffer.alloc(0));
      return false;
  }
}

function answerRequest(socket: Socket, device: BlockDevice, request: Buffer, data: Buffer): void {
  if (request.readUInt32BE(0) !== requestMagic) {
    socket.destroy();
    return;
  }
  const kind = request.readUInt16BE(6);
  const position = Number(request.readBigUInt64BE(16));
  const length = request.readUInt32BE(24);
  let error = 0;
  let answer: Buffer | undefined;
  if (kind === command.read) answer = device.read(position, length);
  else if (kind === command.write) device.write(position, data, (request.readUInt16BE(4) & fuaFlag) !== 0);
  else if (kind === command.flush) device.flush();
  else if (kind === command.disconnect) {
    socket.end();
    return;
  } else error = einval;
  const header = Buffer.alloc(16);
  header.writeUInt32BE(replyMagic, 0);
  header.writeUInt32BE(error, 4);
  request.copy(header, 8, 8, 16);
  socket.write(header);
  if (answer !== undefined) socket.write(answer);
}
