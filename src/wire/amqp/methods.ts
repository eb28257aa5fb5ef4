import type { Method } from './method.ts';

// The methods of AMQP 0-9-1 with RabbitMQ's extensions, class by class. The numbers are those of the wire;
// `→` is a method of the client, `←` one of the server. An argument named `reserved…` has no meaning.

/**
 * ```
 * start ← start-ok → (secure ← secure-ok →)* tune ← tune-ok → open → open-ok ←
 * then: use* (blocked ← | unblocked ← | update-secret → update-secret-ok ←)* (close ↔ close-ok ↔)
 * ```
 */
export const connection = {
  start: {
    id: [10, 10],
    name: 'connection.start',
    arguments: {
      versionMajor: 'octet',
      versionMinor: 'octet',
      serverProperties: 'table',
      mechanisms: 'longstr',
      locales: 'longstr',
    },
  },
  startOk: {
    id: [10, 11],
    name: 'connection.start-ok',
    arguments: {
      clientProperties: 'table',
      mechanism: 'shortstr',
      response: 'longstr',
      locale: 'shortstr',
    },
  },
  secure: { id: [10, 20], name: 'connection.secure', arguments: { challenge: 'longstr' } },
  secureOk: { id: [10, 21], name: 'connection.secure-ok', arguments: { response: 'longstr' } },
  tune: {
    id: [10, 30],
    name: 'connection.tune',
    arguments: { channelMax: 'short', frameMax: 'long', heartbeat: 'short' },
  },
  tuneOk: {
    id: [10, 31],
    name: 'connection.tune-ok',
    arguments: { channelMax: 'short', frameMax: 'long', heartbeat: 'short' },
  },
  open: {
    id: [10, 40],
    name: 'connection.open',
    arguments: {
      virtualHost: 'shortstr',
      reserved1: 'shortstr',
      reserved2: 'bit',
    },
  },
  openOk: { id: [10, 41], name: 'connection.open-ok', arguments: { reserved1: 'shortstr' } },
  close: {
    id: [10, 50],
    name: 'connection.close',
    arguments: { replyCode: 'short', replyText: 'shortstr', failedClass: 'short', failedMethod: 'short' },
  },
  closeOk: { id: [10, 51], name: 'connection.close-ok', arguments: {} },
  blocked: { id: [10, 60], name: 'connection.blocked', arguments: { reason: 'shortstr' } },
  unblocked: { id: [10, 61], name: 'connection.unblocked', arguments: {} },
  updateSecret: {
    id: [10, 70],
    name: 'connection.update-secret',
    arguments: { newSecret: 'longstr', reason: 'shortstr' },
  },
  updateSecretOk: { id: [10, 71], name: 'connection.update-secret-ok', arguments: {} },
} as const;

/** `open → open-ok ← use* (flow ↔ flow-ok ↔)* close ↔ close-ok ↔` */
export const channel = {
  open: { id: [20, 10], name: 'channel.open', arguments: { reserved1: 'shortstr' } },
  openOk: { id: [20, 11], name: 'channel.open-ok', arguments: { reserved1: 'longstr' } },
  flow: { id: [20, 20], name: 'channel.flow', arguments: { active: 'bit' } },
  flowOk: { id: [20, 21], name: 'channel.flow-ok', arguments: { active: 'bit' } },
  close: {
    id: [20, 40],
    name: 'channel.close',
    arguments: { replyCode: 'short', replyText: 'shortstr', failedClass: 'short', failedMethod: 'short' },
  },
  closeOk: { id: [20, 41], name: 'channel.close-ok', arguments: {} },
} as const;

/** `request → request-ok ←`, of AMQP 0-9: older clients still send it. */
export const access = {
  request: {
    id: [30, 10],
    name: 'access.request',
    arguments: {
      realm: 'shortstr',
      exclusive: 'bit',
      passive: 'bit',
      active: 'bit',
      write: 'bit',
      read: 'bit',
    },
  },
  requestOk: { id: [30, 11], name: 'access.request-ok', arguments: { ticket: 'short' } },
} as const;

/** `declare → declare-ok ←`, `delete → delete-ok ←`, `bind → bind-ok ←`, `unbind → unbind-ok ←` */
export const exchange = {
  declare: {
    id: [40, 10],
    name: 'exchange.declare',
    arguments: {
      reserved1: 'short',
      exchange: 'shortstr',
      type: 'shortstr',
      passive: 'bit',
      durable: 'bit',
      autoDelete: 'bit',
      internal: 'bit',
      noWait: 'bit',
      arguments: 'table',
    },
  },
  declareOk: { id: [40, 11], name: 'exchange.declare-ok', arguments: {} },
  delete: {
    id: [40, 20],
    name: 'exchange.delete',
    arguments: {
      reserved1: 'short',
      exchange: 'shortstr',
      ifUnused: 'bit',
      noWait: 'bit',
    },
  },
  deleteOk: { id: [40, 21], name: 'exchange.delete-ok', arguments: {} },
  bind: {
    id: [40, 30],
    name: 'exchange.bind',
    arguments: {
      reserved1: 'short',
      destination: 'shortstr',
      source: 'shortstr',
      routingKey: 'shortstr',
      noWait: 'bit',
      arguments: 'table',
    },
  },
  bindOk: { id: [40, 31], name: 'exchange.bind-ok', arguments: {} },
  unbind: {
    id: [40, 40],
    name: 'exchange.unbind',
    arguments: {
      reserved1: 'short',
      destination: 'shortstr',
      source: 'shortstr',
      routingKey: 'shortstr',
      noWait: 'bit',
      arguments: 'table',
    },
  },
  unbindOk: { id: [40, 51], name: 'exchange.unbind-ok', arguments: {} },
} as const;

/** Each method of the client has its `-ok`, unless `noWait` says otherwise. */
export const queue = {
  declare: {
    id: [50, 10],
    name: 'queue.declare',
    arguments: {
      reserved1: 'short',
      queue: 'shortstr',
      passive: 'bit',
      durable: 'bit',
      exclusive: 'bit',
      autoDelete: 'bit',
      noWait: 'bit',
      arguments: 'table',
    },
  },
  declareOk: {
    id: [50, 11],
    name: 'queue.declare-ok',
    arguments: {
      queue: 'shortstr',
      messageCount: 'long',
      consumerCount: 'long',
    },
  },
  bind: {
    id: [50, 20],
    name: 'queue.bind',
    arguments: {
      reserved1: 'short',
      queue: 'shortstr',
      exchange: 'shortstr',
      routingKey: 'shortstr',
      noWait: 'bit',
      arguments: 'table',
    },
  },
  bindOk: { id: [50, 21], name: 'queue.bind-ok', arguments: {} },
  purge: {
    id: [50, 30],
    name: 'queue.purge',
    arguments: { reserved1: 'short', queue: 'shortstr', noWait: 'bit' },
  },
  purgeOk: { id: [50, 31], name: 'queue.purge-ok', arguments: { messageCount: 'long' } },
  delete: {
    id: [50, 40],
    name: 'queue.delete',
    arguments: {
      reserved1: 'short',
      queue: 'shortstr',
      ifUnused: 'bit',
      ifEmpty: 'bit',
      noWait: 'bit',
    },
  },
  deleteOk: { id: [50, 41], name: 'queue.delete-ok', arguments: { messageCount: 'long' } },
  unbind: {
    id: [50, 50],
    name: 'queue.unbind',
    arguments: {
      reserved1: 'short',
      queue: 'shortstr',
      exchange: 'shortstr',
      routingKey: 'shortstr',
      arguments: 'table',
    },
  },
  unbindOk: { id: [50, 51], name: 'queue.unbind-ok', arguments: {} },
} as const;

/**
 * ```
 * qos → qos-ok ←   consume → consume-ok ← deliver ←*   cancel ↔ cancel-ok ↔   get → (get-ok ← | get-empty ←)
 * publish → (return ←)? (ack ← | nack ←)?              (ack | nack | reject) →   recover → recover-ok ←
 * ```
 * publish, return, deliver and get-ok have content.
 */
export const basic = {
  qos: {
    id: [60, 10],
    name: 'basic.qos',
    arguments: { prefetchSize: 'long', prefetchCount: 'short', global: 'bit' },
  },
  qosOk: { id: [60, 11], name: 'basic.qos-ok', arguments: {} },
  consume: {
    id: [60, 20],
    name: 'basic.consume',
    arguments: {
      reserved1: 'short',
      queue: 'shortstr',
      consumerTag: 'shortstr',
      noLocal: 'bit',
      noAck: 'bit',
      exclusive: 'bit',
      noWait: 'bit',
      arguments: 'table',
    },
  },
  consumeOk: { id: [60, 21], name: 'basic.consume-ok', arguments: { consumerTag: 'shortstr' } },
  cancel: { id: [60, 30], name: 'basic.cancel', arguments: { consumerTag: 'shortstr', noWait: 'bit' } },
  cancelOk: { id: [60, 31], name: 'basic.cancel-ok', arguments: { consumerTag: 'shortstr' } },
  publish: {
    id: [60, 40],
    name: 'basic.publish',
    arguments: {
      reserved1: 'short',
      exchange: 'shortstr',
      routingKey: 'shortstr',
      mandatory: 'bit',
      immediate: 'bit',
    },
    hasContent: true,
  },
  return: {
    id: [60, 50],
    name: 'basic.return',
    arguments: { replyCode: 'short', replyText: 'shortstr', exchange: 'shortstr', routingKey: 'shortstr' },
    hasContent: true,
  },
  deliver: {
    id: [60, 60],
    name: 'basic.deliver',
    arguments: {
      consumerTag: 'shortstr',
      deliveryTag: 'longlong',
      redelivered: 'bit',
      exchange: 'shortstr',
      routingKey: 'shortstr',
    },
    hasContent: true,
  },
  get: {
    id: [60, 70],
    name: 'basic.get',
    arguments: { reserved1: 'short', queue: 'shortstr', noAck: 'bit' },
  },
  getOk: {
    id: [60, 71],
    name: 'basic.get-ok',
    arguments: {
      deliveryTag: 'longlong',
      redelivered: 'bit',
      exchange: 'shortstr',
      routingKey: 'shortstr',
      messageCount: 'long',
    },
    hasContent: true,
  },
  getEmpty: { id: [60, 72], name: 'basic.get-empty', arguments: { reserved1: 'shortstr' } },
  ack: { id: [60, 80], name: 'basic.ack', arguments: { deliveryTag: 'longlong', multiple: 'bit' } },
  reject: { id: [60, 90], name: 'basic.reject', arguments: { deliveryTag: 'longlong', requeue: 'bit' } },
  recoverAsync: { id: [60, 100], name: 'basic.recover-async', arguments: { requeue: 'bit' } },
  recover: { id: [60, 110], name: 'basic.recover', arguments: { requeue: 'bit' } },
  recoverOk: { id: [60, 111], name: 'basic.recover-ok', arguments: {} },
  nack: {
    id: [60, 120],
    name: 'basic.nack',
    arguments: { deliveryTag: 'longlong', multiple: 'bit', requeue: 'bit' },
  },
} as const;

/** `select → select-ok ←`; then each publish is answered by ack or nack. */
export const confirm = {
  select: { id: [85, 10], name: 'confirm.select', arguments: { noWait: 'bit' } },
  selectOk: { id: [85, 11], name: 'confirm.select-ok', arguments: {} },
} as const;

/** `select → select-ok ← (publish →* ack →* (commit → commit-ok ← | rollback → rollback-ok ←))*` */
export const tx = {
  select: { id: [90, 10], name: 'tx.select', arguments: {} },
  selectOk: { id: [90, 11], name: 'tx.select-ok', arguments: {} },
  commit: { id: [90, 20], name: 'tx.commit', arguments: {} },
  commitOk: { id: [90, 21], name: 'tx.commit-ok', arguments: {} },
  rollback: { id: [90, 30], name: 'tx.rollback', arguments: {} },
  rollbackOk: { id: [90, 31], name: 'tx.rollback-ok', arguments: {} },
} as const;

/** All methods, by class and number. */
const methods: ReadonlyMap<number, Method> = new Map(
  [connection, channel, access, exchange, queue, basic, confirm, tx]
    .flatMap((methods): Method[] => Object.values(methods))
    .map((method) => [keyOf(method.id[0], method.id[1]), method]),
);

/** Undefined if there is no such method. */
export function methodOf(classId: number, methodId: number): Method | undefined {
  return methods.get(keyOf(classId, methodId));
}

function keyOf(classId: number, methodId: number): number {
  return classId * 0x1_0000 + methodId;
}
