import { clientSuite } from './suite.ts';
import { fileTarget, memoryTarget } from './target.ts';

clientSuite(memoryTarget);
clientSuite(fileTarget);
