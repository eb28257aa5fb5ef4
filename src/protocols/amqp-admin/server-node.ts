import { availableParallelism, hostname } from 'node:os';
import type { ListenOptions } from '../frontend.ts';
import { exchangeTypes, rabbitVersion, type ManagedAmqp } from '../amqp/index.ts';
import { memoryLimitBytes, processFigures } from '../../util/index.ts';

/** The name of the cluster, as clients of AMQP see it, too. */
export const clusterName = 'pillarbox';

/** The server as the one node of a cluster. */
export class ServerNode {
  readonly name: string = `pillarbox@${hostname()}`;
  readonly version: string;
  readonly #amqp: ManagedAmqp;
  managementAddress: ListenOptions | undefined = undefined;

  constructor(amqp: ManagedAmqp, version: string) {
    this.#amqp = amqp;
    this.version = version;
  }

  /** The addresses that clients connect to. */
  listeners(): object[] {
    return this.addresses().map(([protocol, { host, port }]) => ({
      node: this.name,
      protocol,
      ip_address: host,
      port,
      socket_opts: [],
    }));
  }

  /** The ports by the names that RabbitMQ gives to their protocols. */
  addresses(): readonly (readonly [protocol: string, address: ListenOptions])[] {
    const { address, isSecured } = this.#amqp;
    const { managementAddress } = this;
    return [
      ...(address ? [[isSecured ? 'amqp/ssl' : 'amqp', address] as const] : []),
      ...(managementAddress ? [['http', managementAddress] as const] : []),
    ];
  }

  /** The versions that tools look at: that of RabbitMQ is the one whose features are here. */
  versions(): object {
    return {
      management_version: rabbitVersion,
      rabbitmq_version: rabbitVersion,
      product_name: 'RabbitMQ',
      product_version: rabbitVersion,
      pillarbox_version: this.version,
      erlang_version: '',
      erlang_full_version: `Node.js ${process.versions.node}`,
    };
  }

  /** Where this API is served. */
  contexts(): object[] {
    const { managementAddress } = this;
    if (!managementAddress) return [];
    const { host, port } = managementAddress;
    return [{ description: 'RabbitMQ Management', path: '/', ip: host, port: String(port), node: this.name }];
  }

  describe(): object {
    const { broker } = this.#amqp;
    const { diskFull, memoryFull } = broker.health;
    return {
      name: this.name,
      type: 'disc',
      running: true,
      being_drained: false,
      partitions: [],
      os_pid: String(process.pid),
      uptime: Math.round(process.uptime() * 1000),
      processors: availableParallelism(),
      run_queue: 0,
      rates_mode: 'basic',
      net_ticktime: 60,
      mem_used: processFigures().rss,
      mem_limit: memoryLimitBytes(),
      mem_alarm: memoryFull,
      mem_calculation_strategy: 'rss',
      disk_free: broker.stats().diskFreeBytes ?? 0,
      disk_free_limit: 0,
      disk_free_alarm: diskFull,
      // Some clients insist on these, which are not measured.
      fd_used: 0,
      fd_total: 0,
      proc_used: 0,
      proc_total: 0,
      sockets_total: 0,
      sockets_used: this.#amqp.connections().length,
      enabled_plugins: ['rabbitmq_management'],
      applications: [],
      auth_mechanisms: [],
      exchange_types: this.exchangeTypes(),
      contexts: this.contexts(),
    };
  }

  exchangeTypes(): object[] {
    return exchangeTypes.map((name) => ({ name, description: '', enabled: true }));
  }
}
