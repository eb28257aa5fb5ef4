import { describeDelivery } from './delivery.ts';
import { embeddedDriver } from './drivers/embedded.ts';

describeDelivery(embeddedDriver);
