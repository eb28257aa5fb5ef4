export { answer } from './answer.ts';
export { Sns, type UndeliveredReport } from './sns.ts';
