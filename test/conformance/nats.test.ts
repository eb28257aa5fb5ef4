import { describeDelivery } from './delivery.ts';
import { natsDriver } from './drivers/nats.ts';

describeDelivery(natsDriver);
