import { clientSuite } from './suite.ts';
import { sqsTarget } from './target.ts';

clientSuite(sqsTarget);
