"""Consumer groups of librdkafka, with each of its protocols: two members share the partitions, one leaves, the other takes over."""

import threading

from client import PATIENCE_S, main, say, take, texts, unique, until
from confluent_kafka import AcknowledgeType, ConsumerGroupTopicPartitions, ShareConsumer, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

PARTITIONS = 6

CLASSIC = {"session.timeout.ms": 6000, "heartbeat.interval.ms": 300}


class Member(threading.Thread):
    """A consumer that reads until it is told to leave, and counts."""

    def __init__(self, broker, group, topics, config):
        super().__init__(daemon=True)
        self.consumer = broker.consumer(group, **config, **{"auto.commit.interval.ms": 100})
        self.values = []
        self.assigned = 0
        self.revoked = 0
        self.leaving = threading.Event()
        self.consumer.subscribe(topics, on_revoke=self.on_revoke)
        self.start()

    def on_revoke(self, _, partitions):
        self.revoked += len(partitions)

    def run(self):
        while not self.leaving.is_set():
            self.values += texts(take(self.consumer, 1, patience_s=0.1))
            self.assigned = len(self.consumer.assignment())
        self.consumer.close()

    def leave(self):
        self.leaving.set()
        self.join()


def share(broker, config):
    topic = broker.create(unique("shared"), PARTITIONS)
    group = unique("group")
    values = [f"{i:03}" for i in range(300)]
    first = Member(broker, group, [topic], config)
    until(lambda: first.assigned == PARTITIONS, "the first member's assignment")
    broker.send(topic, values[:100])
    until(lambda: len(first.values) == 100, "the first hundred")
    second = Member(broker, group, [topic], config)
    until(lambda: first.assigned == second.assigned == PARTITIONS // 2, "the shared assignment")
    say("given up", first.revoked)
    broker.send(topic, values[100:200])
    until(lambda: len(first.values) + len(second.values) == 200, "the second hundred")
    described = broker.admin.describe_consumer_groups([group])[group].result(PATIENCE_S)
    say("described", [described.state.name, described.type.name, described.partition_assignor, len(described.members)])
    first.leave()
    until(lambda: second.assigned == PARTITIONS, "the takeover")
    broker.send(topic, values[200:])
    until(lambda: len(first.values) + len(second.values) == 300, "the third hundred")
    second.leave()
    say("each once", sorted(first.values + second.values) == values)
    asked = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, i) for i in range(PARTITIONS)])
    committed = broker.admin.list_consumer_group_offsets([asked])[group].result(PATIENCE_S)
    say("committed", sum(partition.offset for partition in committed.topic_partitions))


def eager(broker):
    share(broker, {**CLASSIC, "partition.assignment.strategy": "range"})


def cooperative(broker):
    share(broker, {**CLASSIC, "partition.assignment.strategy": "cooperative-sticky"})


def consumer(broker):
    """KIP-848."""
    share(broker, {"group.protocol": "consumer"})


def pattern(broker):
    """KIP-848, a subscription by expression that the broker follows."""
    name = unique("pattern")
    topics = [broker.create(f"{name}-a"), broker.create(f"{name}-b")]
    reader = broker.consumer(unique("group"), **{"group.protocol": "consumer"})
    reader.subscribe([f"^{name}-.*"])
    for topic in topics:
        broker.send(topic, [topic])
    say("both", sorted(texts(take(reader, 2))) == topics)
    reader.close()


def share_group(broker):
    """KIP-932: records are accepted, released and rejected one by one. A preview in confluent-kafka 2.16."""
    topic = broker.create(unique("queue"))
    group = unique("workers")
    earliest = ConfigEntry("share.auto.offset.reset", "earliest", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.GROUP, group, incremental_configs=[earliest])
    broker.admin.incremental_alter_configs([resource])[resource].result(PATIENCE_S)
    broker.send(topic, [str(i) for i in range(10)])
    worker = ShareConsumer(
        {"bootstrap.servers": broker.address, "group.id": group, "share.acknowledgement.mode": "explicit"}
    )
    worker.subscribe([topic])
    accepted = []
    again = []

    def work():
        for message in worker.poll(0.5):
            offset, deliveries = message.offset(), message.delivery_count()
            if offset == 3:
                worker.acknowledge(message, AcknowledgeType.REJECT)
            elif offset == 5 and deliveries == 1:
                worker.acknowledge(message, AcknowledgeType.RELEASE)
            else:
                again.extend([offset] if deliveries > 1 else [])
                accepted.append(offset)
                worker.acknowledge(message)
        worker.commit_sync(30.0)
        return len(accepted) == 9

    until(work, "the end of the queue")
    worker.close()
    say("accepted", sorted(accepted))
    say("again", again)
    say("dead letter", texts(broker.read(f"{topic}-{group}-dlq", 1)))


if __name__ == "__main__":
    main([eager, cooperative, consumer, pattern, share_group])
