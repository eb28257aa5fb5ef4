import { clientSuite } from './suite.ts';
import { amqpTarget, rabbitTarget } from './target.ts';

clientSuite(amqpTarget);
clientSuite(rabbitTarget);
