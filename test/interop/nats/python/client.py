"""Scenarios of nats-py, each by the defaults of its client: client.py ADDRESS SCENARIO. The last line is `done`."""

import asyncio
import sys

import nats
from nats.js.api import ConsumerConfig, KeyValueConfig, StreamConfig
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError


async def core(nc):
    async def answer(msg):
        await msg.respond(msg.data.upper())

    await nc.subscribe("py.core", cb=answer)
    reply = await nc.request("py.core", b"hello", headers={"A": "1"})
    assert reply.data == b"HELLO"


async def key_value(nc):
    js = nc.jetstream()
    kv = await js.create_key_value(KeyValueConfig(bucket="py-values", history=3))
    first = await kv.put("a", b"1")
    assert await kv.update("a", b"2", last=first) == first + 1
    try:
        await kv.update("a", b"3", last=first)
        assert False, "an old revision was accepted"
    except KeyWrongLastSequenceError:
        pass
    entry = await kv.get("a")
    assert (entry.value, entry.revision) == (b"2", first + 1)
    assert [e.value for e in await kv.history("a")] == [b"1", b"2"]
    await kv.delete("a")
    try:
        await kv.get("a")
        assert False, "a deleted key has a value"
    except KeyNotFoundError:
        pass
    watcher = await kv.watchall()
    assert (await watcher.updates(timeout=5)).operation == "DEL"
    await watcher.stop()
    assert (await js.key_value("py-values")).__class__ == kv.__class__


async def pull(nc):
    js = nc.jetstream()
    await js.add_stream(StreamConfig(name="py-pull", subjects=["py.pull.*"]))
    for i in range(10):
        ack = await js.publish(f"py.pull.{i}", str(i).encode(), headers={"Nats-Msg-Id": str(i)})
        assert (ack.stream, ack.seq) == ("py-pull", i + 1)
    subscription = await js.pull_subscribe("py.pull.*", durable="worker")
    messages = await subscription.fetch(10, timeout=5)
    assert [m.data for m in messages] == [str(i).encode() for i in range(10)]
    for message in messages:
        await message.ack_sync()
    info = await subscription.consumer_info()
    assert (info.num_ack_pending, info.num_pending, info.ack_floor.stream_seq) == (0, 0, 10)


async def push(nc):
    js = nc.jetstream()
    await js.add_stream(name="py-push", subjects=["py.push"])
    for i in range(5):
        await js.publish("py.push", str(i).encode())
    ordered = await js.subscribe("py.push", ordered_consumer=True)
    for i in range(5):
        assert (await ordered.next_msg(timeout=5)).data == str(i).encode()
    config = ConsumerConfig(max_deliver=2, ack_wait=0.2)
    again = await js.subscribe("py.push", durable="again", config=config, manual_ack=True)
    assert (await again.next_msg(timeout=5)).metadata.num_delivered == 1


async def objects(nc):
    js = nc.jetstream()
    store = await js.create_object_store("py-objects")
    data = b"x" * 300_000
    await store.put("big", data)
    assert (await store.get("big")).data == data


async def main():
    address, scenario = sys.argv[1:]
    nc = await nats.connect(address)
    await {"core": core, "key-value": key_value, "pull": pull, "push": push, "objects": objects}[scenario](nc)
    await nc.close()
    print("done")


asyncio.run(main())
