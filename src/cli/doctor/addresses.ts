import { type AddressInfo, createServer } from 'node:net';
import { AdminClient } from '../admin-client.ts';
import type { ServerJson } from '../../admin-api/index.ts';
import { userOf } from '../command.ts';
import type { Check, Examination } from './check.ts';

/** Whether the ports are free, or used by a running broker of ours. */
export async function checkAddresses(examination: Examination): Promise<readonly Check[]> {
  const { doors, adminHost, adminPort } = examination;
  const running = await runningBroker(examination);
  if (running)
    return [
      {
        name: 'broker',
        status: running.health.ready ? 'ok' : 'problem',
        message: `runs as process ${running.pid} on data ${running.dataDirectory}${running.health.ready ? '' : ', not ready'}`,
      },
    ];
  const checks: Check[] = [];
  for (const { title, host, port } of doors) checks.push(await checkPort(`${title} port`, host, port));
  return [...checks, await checkPort('admin port', adminHost, adminPort)];
}

async function runningBroker({
  adminHost: host,
  adminPort: port,
  adminTlsCert: certificate,
}: Examination): Promise<ServerJson | undefined> {
  if (port === 0) return undefined;
  const scheme = certificate === undefined ? 'http' : 'https';
  const client = new AdminClient({
    url: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    token: process.env['PILLARBOX_TOKEN'] || process.env['PILLARBOX_ADMIN_TOKEN'],
    user: process.env['PILLARBOX_USER'] ? userOf(process.env['PILLARBOX_USER']) : undefined,
    // The files are this machine's own: a broker that shows the certificate is the one that they are for.
    tls: {
      ca: process.env['PILLARBOX_CA'] || certificate,
      cert: process.env['PILLARBOX_CLIENT_CERT'] || undefined,
      key: process.env['PILLARBOX_CLIENT_KEY'] || undefined,
      isPinned: !process.env['PILLARBOX_CA'],
    },
  });
  const signal = AbortSignal.timeout(2000);
  return client.ask('GET /api/v1/server', {}, { signal }).catch(() => undefined);
}

async function checkPort(name: string, host: string, port: number): Promise<Check> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, resolve);
    });
    const free = port === 0 ? `any (such as ${(server.address() as AddressInfo).port})` : String(port);
    return { name, status: 'ok', message: `${free} on ${host} is free` };
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    return {
      name,
      status: 'problem',
      message: `${port} on ${host} cannot be listened on: ${code}`,
      advice: 'Stop what uses it, or choose another port.',
    };
  } finally {
    server.close();
  }
}
