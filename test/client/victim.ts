import { connect } from '../../src/client/index.ts';

// A consumer to be killed: `victim.js URL TOPIC GROUP` takes a message, says so, and never finishes.
const [url = '', topic = '', group = ''] = process.argv.slice(2);
const client = await connect(url);
const victims = await (await client.topic(topic)).group(group);
victims.consume((message) => {
  console.log(`took ${message.id}`);
  return new Promise(() => {});
});
