"""Transactions of librdkafka: commit, abort, offsets, fencing, and a transformer that crashes and rebalances."""

from client import PATIENCE_S, main, say, take, texts, unique, until
from confluent_kafka import KafkaError, KafkaException, TopicPartition

COMMITTED = {"isolation.level": "read_committed"}
UNCOMMITTED = {"isolation.level": "read_uncommitted"}


def transactional(broker, name, **config):
    producer = broker.producer(**{"transactional.id": name, **config})
    producer.init_transactions(PATIENCE_S)
    return producer


def outcomes(broker):
    """Commits and aborts over two topics, and who sees what meanwhile."""
    orders = broker.create(unique("orders"))
    bills = broker.create(unique("bills"))
    producer = transactional(broker, unique("mover"))
    for value, commits in (("one", True), ("two", False), ("three", True)):
        producer.begin_transaction()
        producer.produce(orders, value)
        producer.produce(bills, value)
        if commits:
            producer.commit_transaction(PATIENCE_S)
        else:
            producer.flush(PATIENCE_S)
            producer.abort_transaction(PATIENCE_S)
    producer.begin_transaction()
    producer.produce(orders, "open")
    producer.flush(PATIENCE_S)
    say("committed", [texts(broker.read(topic, 2, **COMMITTED)) for topic in (orders, bills)])
    say("uncommitted", texts(broker.read(orders, 3, **UNCOMMITTED)))
    reader = broker.consumer(unique("reader"), **COMMITTED)
    reader.assign([TopicPartition(orders, 0, 0)])
    take(reader, 2)
    say("undecided", texts(take(reader, 1, patience_s=0.5)))
    producer.commit_transaction(PATIENCE_S)
    say("decided", texts(take(reader, 1)))
    reader.close()


def fencing(broker):
    """A second producer of a transactional id takes over; the first one hears of it, and its transaction is gone."""
    topic = broker.create(unique("orders"))
    name = unique("mover")
    first = transactional(broker, name)
    first.begin_transaction()
    first.produce(topic, "old")
    first.flush(PATIENCE_S)
    second = transactional(broker, name)
    try:
        first.commit_transaction(PATIENCE_S)
        say("fenced", "no")
    except KafkaException as error:
        say("fenced", [error.args[0].fatal(), error.args[0].code() in (KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH)])
    second.begin_transaction()
    second.produce(topic, "new")
    second.commit_transaction(PATIENCE_S)
    say("values", texts(broker.read(topic, 1, **COMMITTED)))


def timeout(broker):
    """A transaction that takes too long is aborted; its producer hears that it is fenced, as with Kafka."""
    topic = broker.create(unique("orders"))
    producer = transactional(broker, unique("mover"), **{"transaction.timeout.ms": 1000})
    producer.begin_transaction()
    producer.produce(topic, "late")
    producer.flush(PATIENCE_S)
    other = broker.consumer(unique("reader"), **COMMITTED)
    other.assign([TopicPartition(topic, 0, 0)])
    broker.send(topic, ["after"])
    say("values", texts(take(other, 1)))
    other.close()
    try:
        producer.commit_transaction(PATIENCE_S)
        say("commit", "went through")
    except KafkaException as error:
        say("commit", "was refused" if error.args[0].fatal() else str(error))


def transform(broker):
    """Reads, writes and commits in one transaction per batch; one transformer stops in the middle, two others share the rest."""
    source = broker.create(unique("source"), 4)
    sink = broker.create(unique("sink"), 2)
    group = unique("transformers")
    values = [f"{i:04}" for i in range(1000)]
    broker.send(source, values)

    class Transformer:
        def __init__(self, name):
            self.producer = transactional(broker, f"{group}-{name}", **{"transaction.timeout.ms": 10_000})
            self.consumer = broker.consumer(
                group,
                **COMMITTED,
                **{"enable.auto.commit": False, "session.timeout.ms": 6000, "heartbeat.interval.ms": 300},
            )
            self.consumer.subscribe([source])

        def step(self, ends=True):
            """How many messages it moved."""
            batch = take(self.consumer, 25, patience_s=0.3)
            if not batch:
                return 0
            self.producer.begin_transaction()
            for message in batch:
                self.producer.produce(sink, b"done " + message.value(), key=message.key())
            positions = self.consumer.position(self.consumer.assignment())
            offsets = [position for position in positions if position.offset >= 0]
            try:
                self.producer.send_offsets_to_transaction(offsets, self.consumer.consumer_group_metadata(), PATIENCE_S)
                if ends:
                    self.producer.commit_transaction(PATIENCE_S)
                else:
                    self.producer.flush(PATIENCE_S)
            except KafkaException as error:
                if error.args[0].fatal():
                    raise
                # A rebalance took the partitions: the batch belongs to somebody else.
                self.producer.abort_transaction(PATIENCE_S)
                self.back()
                return 0
            return len(batch)

        def back(self):
            """Goes on where the group is."""
            assigned = self.consumer.assignment()
            for position in self.consumer.committed(assigned, timeout=PATIENCE_S):
                position.offset = max(0, position.offset)
                self.consumer.seek(position)

    crashing = Transformer("a")
    moved = 0
    while moved < 100:
        moved += crashing.step()
    while crashing.step(ends=False) == 0:
        pass
    crashing.consumer.close()
    # The next of its name aborts what it left open.
    workers = [Transformer("a"), Transformer("b")]

    def committed():
        partitions = [TopicPartition(source, i) for i in range(4)]
        return sum(max(0, p.offset) for p in workers[0].consumer.committed(partitions, timeout=PATIENCE_S))

    def all_moved():
        for worker in workers:
            worker.step()
        return committed() == len(values)

    until(all_moved, "the end of the source")
    for worker in workers:
        worker.consumer.close()
    reader = broker.consumer(unique("reader"), **COMMITTED)
    reader.assign([TopicPartition(sink, i, 0) for i in range(2)])
    found = texts(take(reader, len(values)))
    say("distinct", len(set(found)))
    say("more", texts(take(reader, 1, patience_s=0.5)))
    reader.close()


if __name__ == "__main__":
    main([outcomes, fencing, timeout, transform])
