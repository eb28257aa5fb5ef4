import { comparedPath } from '../support/index.ts';
import { clientSuite } from './suite.ts';
import { natsTarget } from './target.ts';

clientSuite(natsTarget('pillarbox'));
clientSuite(
  natsTarget(
    'nats-server',
    comparedPath === undefined ? 'there is no nats-server: set NATS_SERVER to its path' : undefined,
  ),
);
