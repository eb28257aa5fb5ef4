export { SqsFrontend, type SqsOptions } from './sqs-frontend.ts';
