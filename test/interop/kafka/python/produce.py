"""Producers and consumers of librdkafka: headers, keys, idempotence, compression."""

from client import main, say, take, texts, unique
from confluent_kafka import OFFSET_BEGINNING, TopicPartition


def messages(broker):
    """Keys, headers, timestamps, empty and missing values come back as they went."""
    topic = broker.create(unique("messages"), 2)
    producer = broker.producer()
    delivered = []
    headers = [("a", b"1"), ("a", b"2"), ("none", None), ("bytes", bytes(range(256)))]
    for value in (b"one", b"", None):
        producer.produce(
            topic, value, key=b"k\0y", partition=1, headers=headers, timestamp=1_700_000_000_123, on_delivery=lambda e, m: delivered.append((e, m.offset()))
        )
    producer.flush(30)
    say("delivered", [[error, offset] for error, offset in delivered])
    found = broker.read(topic, 3, partition=1)
    say("values", [None if m.value() is None else m.value().decode() for m in found])
    say("same", all(m.key() == b"k\0y" and m.headers() == headers and m.timestamp() == (1, 1_700_000_000_123) for m in found))


def idempotent(broker):
    """An idempotent producer that batches, in order and without gaps."""
    topic = broker.create(unique("idempotent"))
    values = [f"{i:05}" for i in range(20_000)]
    broker.send(topic, values, **{"enable.idempotence": True, "linger.ms": 1, "batch.num.messages": 500})
    found = broker.read(topic, len(values))
    say("same", texts(found) == values)
    say("offsets", [found[0].offset(), found[-1].offset()])


def compressions(broker):
    """Every codec, read again by this client; the test reads the topics by others."""
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        topic = broker.create(f"compressed-{codec}")
        values = [f"{codec} {'x' * 200} {i}" for i in range(2000)]
        broker.send(topic, values, **{"compression.type": codec, "linger.ms": 50})
        say(codec, texts(broker.read(topic, len(values), **{"check.crcs": True})) == values)


def seek(broker):
    """Watermarks, offsets by time, and seeking."""
    topic = broker.create(unique("seek"))
    producer = broker.producer()
    for i in range(10):
        producer.produce(topic, str(i), timestamp=1_700_000_000_000 + i * 1000)
    producer.flush(30)
    consumer = broker.consumer(unique("seeker"))
    say("watermarks", consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=30))
    times = consumer.offsets_for_times([TopicPartition(topic, 0, 1_700_000_003_500)], timeout=30)
    say("by time", times[0].offset)
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    say("first", texts(take(consumer, 3)))
    consumer.seek(TopicPartition(topic, 0, 7))
    say("sought", texts(take(consumer, 2)))
    consumer.pause([TopicPartition(topic, 0)])
    say("paused", texts(take(consumer, 1, patience_s=0.5)))
    consumer.resume([TopicPartition(topic, 0)])
    say("resumed", texts(take(consumer, 1)))
    consumer.close()


if __name__ == "__main__":
    main([messages, idempotent, compressions, seek])
