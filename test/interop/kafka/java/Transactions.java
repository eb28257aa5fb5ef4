import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.HashMap;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.FeatureMetadata;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Drives transactions through the Java client. Arguments: bootstrap servers, scenario. Prints "key value" lines that the test reads. */
public class Transactions {
  static String bootstrap;

  public static void main(String[] args) throws Exception {
    bootstrap = args[0];
    switch (args[1]) {
      case "outcomes" -> outcomes();
      case "fencing" -> fencing();
      case "timeout" -> timeout();
      case "exactly-once" -> exactlyOnce();
      default -> throw new IllegalArgumentException(args[1]);
    }
    System.out.println("done");
  }

  static Properties properties(Object... pairs) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("key.deserializer", StringDeserializer.class.getName());
    properties.put("value.deserializer", StringDeserializer.class.getName());
    properties.put("key.serializer", StringSerializer.class.getName());
    properties.put("value.serializer", StringSerializer.class.getName());
    for (int i = 0; i < pairs.length; i += 2) properties.put(pairs[i].toString(), pairs[i + 1].toString());
    return properties;
  }

  static void say(String key, Object value) {
    System.out.println(key + " " + value);
  }

  static void createTopics(int partitions, String... names) throws Exception {
    try (Admin admin = Admin.create(properties())) {
      List<NewTopic> topics = new ArrayList<>();
      for (String name : names) topics.add(new NewTopic(name, partitions, (short) 1));
      admin.createTopics(topics).all().get(20, TimeUnit.SECONDS);
    }
  }

  static KafkaProducer<String, String> producer(String id, Object... pairs) {
    Properties properties = properties(pairs);
    properties.put("transactional.id", id);
    KafkaProducer<String, String> producer = new KafkaProducer<>(properties);
    producer.initTransactions();
    return producer;
  }

  static List<String> values(String topic, int partitions, String isolation) {
    List<String> values = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(properties("isolation.level", isolation, "auto.offset.reset", "earliest"))) {
      List<TopicPartition> all = new ArrayList<>();
      for (int i = 0; i < partitions; i++) all.add(new TopicPartition(topic, i));
      consumer.assign(all);
      Map<TopicPartition, Long> ends = consumer.endOffsets(all);
      long deadline = System.currentTimeMillis() + 30_000;
      while (System.currentTimeMillis() < deadline) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) values.add(record.value());
        boolean isThrough = true;
        for (TopicPartition partition : all) isThrough &= consumer.position(partition) >= ends.get(partition);
        if (isThrough) break;
      }
    }
    return values;
  }

  /** Many short transactions, every third aborted, over two topics. */
  static void outcomes() throws Exception {
    createTopics(2, "t-orders", "t-bills");
    try (Admin admin = Admin.create(properties())) {
      FeatureMetadata features = admin.describeFeatures().featureMetadata().get(20, TimeUnit.SECONDS);
      say("feature", features.finalizedFeatures().get("transaction.version").maxVersionLevel());
    }
    try (KafkaProducer<String, String> producer = producer("t-mover")) {
      for (int i = 0; i < 60; i++) {
        producer.beginTransaction();
        for (int part = 0; part < 2; part++) producer.send(new ProducerRecord<>("t-orders", part, null, i + "/" + part));
        producer.send(new ProducerRecord<>("t-bills", 0, null, "" + i));
        if (i % 3 == 2) producer.abortTransaction();
        else producer.commitTransaction();
      }
      producer.beginTransaction();
      producer.send(new ProducerRecord<>("t-bills", 0, null, "open"));
      producer.flush();
      say("orders", values("t-orders", 2, "read_committed").size());
      say("bills", values("t-bills", 1, "read_committed").size());
      List<String> all = values("t-bills", 1, "read_uncommitted");
      say("last", all.get(all.size() - 1));
      TopicPartition bills = new TopicPartition("t-bills", 0);
      try (Admin admin = Admin.create(properties())) {
        long stable =
            admin
                .listOffsets(Map.of(bills, OffsetSpec.latest()), new ListOffsetsOptions(IsolationLevel.READ_COMMITTED))
                .partitionResult(bills)
                .get(20, TimeUnit.SECONDS)
                .offset();
        long end = admin.listOffsets(Map.of(bills, OffsetSpec.latest())).partitionResult(bills).get(20, TimeUnit.SECONDS).offset();
        say("undecided", end - stable);
      }
      producer.commitTransaction();
      say("after", values("t-bills", 1, "read_committed").size());
    }
  }

  static void fencing() throws Exception {
    createTopics(1, "f-orders");
    KafkaProducer<String, String> first = producer("f-mover");
    first.beginTransaction();
    first.send(new ProducerRecord<>("f-orders", "old")).get(20, TimeUnit.SECONDS);
    KafkaProducer<String, String> second = producer("f-mover");
    String fenced = "no";
    try {
      first.send(new ProducerRecord<>("f-orders", "late"));
      first.commitTransaction();
    } catch (KafkaException error) {
      fenced = error instanceof ProducerFencedException ? "yes" : abortOf(first);
    }
    say("fenced", fenced);
    second.beginTransaction();
    second.send(new ProducerRecord<>("f-orders", "new"));
    second.commitTransaction();
    first.close(Duration.ZERO);
    second.close();
    say("values", values("f-orders", 1, "read_committed"));
  }

  /** A stale epoch can be found out by a batch first (InvalidProducerEpochException): then the abort tells what it means. */
  static String abortOf(KafkaProducer<String, String> producer) {
    try {
      producer.abortTransaction();
      return "no";
    } catch (ProducerFencedException error) {
      return "yes";
    } catch (KafkaException error) {
      return error.getCause() instanceof ProducerFencedException ? "yes" : error.toString();
    }
  }

  /** A transaction that takes too long is aborted by the broker; the producer hears of it, and a new one goes on. */
  static void timeout() throws Exception {
    createTopics(1, "o-orders");
    KafkaProducer<String, String> slow = producer("o-mover", "transaction.timeout.ms", 500);
    slow.beginTransaction();
    slow.send(new ProducerRecord<>("o-orders", "slow")).get(20, TimeUnit.SECONDS);
    long deadline = System.currentTimeMillis() + 20_000;
    TopicPartition orders = new TopicPartition("o-orders", 0);
    try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(properties("isolation.level", "read_committed"))) {
      while (consumer.endOffsets(List.of(orders)).get(orders) == 0 && System.currentTimeMillis() < deadline) Thread.sleep(50);
    }
    try {
      slow.commitTransaction();
      say("commit", "was taken");
    } catch (KafkaException error) {
      say("commit", "was refused");
    }
    slow.close(Duration.ZERO);
    try (KafkaProducer<String, String> next = producer("o-mover")) {
      next.beginTransaction();
      next.send(new ProducerRecord<>("o-orders", "next"));
      next.commitTransaction();
    }
    say("values", values("o-orders", 1, "read_committed"));
  }

  /** Two transformers in one group; one of them leaves in the middle of a transaction and comes back. */
  static void exactlyOnce() throws Exception {
    createTopics(4, "e-source", "e-sink");
    int count = 2000;
    try (KafkaProducer<String, String> feeder = new KafkaProducer<>(properties())) {
      for (int i = 0; i < count; i++) feeder.send(new ProducerRecord<>("e-source", "key " + i, "" + i));
    }
    AtomicBoolean running = new AtomicBoolean(true);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      String id = "e-mover-" + i;
      boolean crashes = i == 0;
      Thread thread = new Thread(() -> {
        boolean crashNext = crashes;
        while (running.get()) {
          transform(id, crashNext, running);
          crashNext = false;
        }
      });
      thread.start();
      threads.add(thread);
    }
    long deadline = System.currentTimeMillis() + 60_000;
    while (System.currentTimeMillis() < deadline) {
      Thread.sleep(300);
      if (values("e-sink", 4, "read_committed").size() >= count) break;
    }
    running.set(false);
    for (Thread thread : threads) thread.join();
    Map<String, Integer> times = new TreeMap<>();
    for (String value : values("e-sink", 4, "read_committed")) times.merge(value, 1, Integer::sum);
    say("distinct", times.size());
    say("twice", times.values().stream().filter((n) -> n > 1).count());
    try (Admin admin = Admin.create(properties())) {
      long committed = 0;
      for (OffsetAndMetadata offset :
          admin.listConsumerGroupOffsets("e-group").partitionsToOffsetAndMetadata().get(20, TimeUnit.SECONDS).values())
        committed += offset.offset();
      say("committed", committed);
    }
  }

  static void transform(String id, boolean crashes, AtomicBoolean running) {
    KafkaProducer<String, String> producer = producer(id);
    KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(
            properties(
                "group.id", "e-group", "isolation.level", "read_committed", "auto.offset.reset", "earliest",
                "enable.auto.commit", "false", "max.poll.records", 50, "session.timeout.ms", 6000));
    try {
      consumer.subscribe(List.of("e-source"));
      int batches = 0;
      while (running.get()) {
        ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(100));
        if (records.isEmpty()) continue;
        producer.beginTransaction();
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (ConsumerRecord<String, String> record : records) {
          producer.send(new ProducerRecord<>("e-sink", record.key(), record.value()));
          offsets.put(new TopicPartition(record.topic(), record.partition()), new OffsetAndMetadata(record.offset() + 1));
        }
        producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
        if (crashes && ++batches == 3) {
          producer.flush();
          return;
        }
        producer.commitTransaction();
      }
    } catch (KafkaException error) {
      // It starts over: what was open is aborted by the next producer of its id.
    } finally {
      producer.close(Duration.ZERO);
      consumer.close();
    }
  }
}
