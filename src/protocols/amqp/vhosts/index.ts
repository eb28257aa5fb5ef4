export { VhostNames } from './vhost-names.ts';
export type { VirtualHost } from './virtual-host.ts';
export { VirtualHosts } from './virtual-hosts.ts';
