/**
 * @platformatic/kafka: the version that runs on the oldest Node we promise to work on, or the one in the folder that PLATFORMATIC_KAFKA names, which
 * `.ci/run` sets for the newer Node.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Client from '@platformatic/kafka';

const folder = process.env['PLATFORMATIC_KAFKA'];
const place =
  folder === undefined ? '@platformatic/kafka' : pathToFileURL(join(folder, 'dist', 'index.js')).href;
const client = (await import(place)) as typeof Client;

export const Admin: typeof Client.Admin = client.Admin;
export const Consumer: typeof Client.Consumer = client.Consumer;
export const Producer: typeof Client.Producer = client.Producer;
export const stringDeserializers: typeof Client.stringDeserializers = client.stringDeserializers;
export const stringSerializers: typeof Client.stringSerializers = client.stringSerializers;
