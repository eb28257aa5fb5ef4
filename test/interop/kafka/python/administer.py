"""The admin client of librdkafka."""

from client import PATIENCE_S, main, say, take, unique
from confluent_kafka import ConsumerGroupTopicPartitions, ElectionType, IsolationLevel, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    OffsetSpec,
    ResourceType,
)


def result(futures):
    """Of the only future there is."""
    (future,) = futures.values()
    return future.result(PATIENCE_S)


def topics(broker):
    """Topics are made, described, grown, configured and deleted."""
    admin = broker.admin
    topic = broker.create(unique("topic"), 2, **{"retention.ms": "60000"})
    try:
        broker.create(topic)
    except KafkaException as error:
        say("again", error.args[0].name())
    result(admin.create_partitions([NewPartitions(topic, 4)]))
    say("partitions", len(admin.list_topics(topic, timeout=PATIENCE_S).topics[topic].partitions))
    described = result(admin.describe_topics(TopicCollection([topic])))
    say("described", [described.name == topic, len(described.partitions), described.partitions[0].leader.id])
    resource = ConfigResource(
        ResourceType.TOPIC,
        topic,
        incremental_configs=[
            ConfigEntry("max.message.bytes", "2000000", incremental_operation=AlterConfigOpType.SET),
            ConfigEntry("retention.ms", None, incremental_operation=AlterConfigOpType.DELETE),
        ],
    )
    result(admin.incremental_alter_configs([resource]))
    configs = result(admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]))
    say("configs", [configs[name].value for name in ("max.message.bytes", "retention.ms", "cleanup.policy")])
    broker.send(topic, [str(i) for i in range(10)], **{"partitioner": "consistent"})
    ends = admin.list_offsets({TopicPartition(topic, i): OffsetSpec.latest() for i in range(4)}, isolation_level=IsolationLevel.READ_COMMITTED)
    ends = {partition: future.result(PATIENCE_S).offset for partition, future in ends.items()}
    say("messages", sum(ends.values()))
    full = next(partition for partition, end in ends.items() if end > 1)
    deleted = result(admin.delete_records([TopicPartition(full.topic, full.partition, 1)]))
    first = result(admin.list_offsets({full: OffsetSpec.earliest()}))
    say("deleted records", [deleted.low_watermark, first.offset])
    result(admin.delete_topics([topic]))
    say("gone", topic not in admin.list_topics(timeout=PATIENCE_S).topics)


def groups(broker):
    """Groups are listed, described, moved and deleted."""
    admin = broker.admin
    topic = broker.create(unique("topic"))
    group = unique("group")
    broker.send(topic, [str(i) for i in range(10)])
    consumer = broker.consumer(group)
    consumer.subscribe([topic])
    take(consumer, 10)
    consumer.commit(asynchronous=False)
    described = result(admin.describe_consumer_groups([group]))
    assigned = described.members[0].assignment.topic_partitions
    say("described", [described.state.name, [partition.topic == topic for partition in assigned]])
    consumer.close()
    listed = admin.list_consumer_groups().result(PATIENCE_S)
    say("listed", [each.state.name for each in listed.valid if each.group_id == group])
    result(admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, 4)])]))
    offsets = result(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]))
    say("offsets", [partition.offset for partition in offsets.topic_partitions])
    result(admin.delete_consumer_groups([group]))
    say("left", [each.group_id for each in admin.list_consumer_groups().result(PATIENCE_S).valid if each.group_id == group])


def cluster(broker):
    """What there is of the cluster, and what there is not."""
    admin = broker.admin
    described = admin.describe_cluster().result(PATIENCE_S)
    say("cluster", [len(described.cluster_id), described.controller.id, [node.id for node in described.nodes]])
    configs = result(admin.describe_configs([ConfigResource(ResourceType.BROKER, "0")]))
    say("config", configs["default.replication.factor"].value)
    try:
        admin.elect_leaders(ElectionType.PREFERRED).result(PATIENCE_S)
        say("elections", "went through")
    except KafkaException as error:
        say("elections", error.args[0].name())


if __name__ == "__main__":
    main([topics, groups, cluster])
