import { virtualHost } from '../errors.ts';
import { separator } from './vhost-name.ts';

/**
 * The names of a virtual host. In `/`, a queue is the topic of its name. In another virtual host, `test`, the
 * queue `orders` is the topic `test:orders`, and `/` has no queue of that name.
 */
export class VhostNames {
  /** The name of the virtual host. */
  readonly vhost: string;
  /** The beginning of the names of its topics. */
  readonly prefix: string;
  readonly #isVhost: (name: string) => boolean;

  /** `isVhost` says whether there is a virtual host of that name. */
  constructor(vhost: string, isVhost: (name: string) => boolean) {
    this.vhost = vhost;
    this.prefix = vhost === virtualHost ? '' : vhost + separator;
    this.#isVhost = isVhost;
  }

  /** The name of a queue's topic; undefined if that topic is in another virtual host. */
  topicName(queue: string): string | undefined {
    const name = this.prefix + queue;
    return this.owns(name) ? name : undefined;
  }

  /** The name of the queue that a topic of this virtual host is. */
  queueName(topic: string): string {
    return topic.startsWith(this.prefix) ? topic.slice(this.prefix.length) : topic;
  }

  /** Whether a topic is in this virtual host. */
  owns(topic: string): boolean {
    return vhostOf(topic, this.#isVhost) === this.vhost;
  }

  /** The name by which permissions know a queue or an exchange. */
  guardedName(name: string): string {
    return this.prefix + name;
  }
}

/** The names of `/` where it is the only virtual host. */
export const plainNames: VhostNames = new VhostNames(virtualHost, () => false);

/** The virtual host that a topic is in. */
export function vhostOf(topic: string, isVhost: (name: string) => boolean): string {
  const end = topic.indexOf(separator);
  const vhost = topic.slice(0, Math.max(0, end));
  return end > 0 && isVhost(vhost) ? vhost : virtualHost;
}
