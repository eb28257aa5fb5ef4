"""What the scenarios share: clients of one broker, and how they say what they saw.

A scenario prints lines of a key, a tab and a value in JSON, and `done` as its last line.
"""

import json
import sys
import time
import uuid

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

PATIENCE_S = 30


def say(key, value):
    print(key, json.dumps(value), sep="\t", flush=True)


def unique(name):
    return f"{name}-{uuid.uuid4().hex[:8]}"


class Broker:
    """The broker that a scenario talks to."""

    def __init__(self, address):
        self.address = address
        self.admin = AdminClient({"bootstrap.servers": address})

    def producer(self, **config):
        return Producer({"bootstrap.servers": self.address, **config})

    def consumer(self, group, **config):
        return Consumer(
            {
                "bootstrap.servers": self.address,
                "group.id": group,
                "auto.offset.reset": "earliest",
                **config,
            }
        )

    def create(self, topic, partitions=1, **config):
        wanted = NewTopic(topic, num_partitions=partitions, replication_factor=1, config=config)
        self.admin.create_topics([wanted])[topic].result(PATIENCE_S)
        return topic

    def send(self, topic, values, **config):
        """Produces the values, with themselves as keys, and waits until all are acknowledged."""
        refused = []
        producer = self.producer(**config)
        for value in values:
            producer.produce(topic, value, key=value, on_delivery=lambda error, _: error and refused.append(str(error)))
        producer.flush(PATIENCE_S)
        assert not refused, refused

    def read(self, topic, count, partition=0, **config):
        """The first messages of a partition."""
        consumer = self.consumer(unique("reader"), **config)
        consumer.assign([TopicPartition(topic, partition, 0)])
        found = take(consumer, count)
        consumer.close()
        return found


def take(consumer, count, patience_s=PATIENCE_S):
    """The next messages that come, fewer if they do not come in time."""
    found = []
    until = time.monotonic() + patience_s
    while len(found) < count and time.monotonic() < until:
        message = consumer.poll(0.2)
        if message is None:
            continue
        if message.error():
            raise KafkaException(message.error())
        found.append(message)
    return found


def until(condition, what):
    """Waits until the condition holds."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, f"{what} did not come about"
        time.sleep(0.02)


def texts(messages):
    return [message.value().decode() for message in messages]


def main(scenarios):
    """Runs one of the functions, which get a Broker: `script address name`."""
    address, name = sys.argv[1:]
    next(each for each in scenarios if each.__name__ == name)(Broker(address))
    print("done")
