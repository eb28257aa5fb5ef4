export { AmqpAdminFrontend, type AmqpAdminOptions } from './frontend.ts';
