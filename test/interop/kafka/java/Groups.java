import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Drives groups through the Java client. Arguments: bootstrap servers, scenario. Prints "key value" lines that the test reads. */
public class Groups {
  static String bootstrap;

  public static void main(String[] args) throws Exception {
    bootstrap = args[0];
    switch (args[1]) {
      case "consumer" -> consumerGroup("consumer");
      case "classic" -> consumerGroup("classic");
      case "pattern" -> pattern();
      case "share" -> share();
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

  static void createTopic(String name, int partitions) throws Exception {
    try (Admin admin = Admin.create(properties())) {
      admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1))).all().get(20, TimeUnit.SECONDS);
    }
  }

  static void produce(String topic, int count) {
    try (KafkaProducer<String, String> producer = new KafkaProducer<>(properties())) {
      for (int i = 0; i < count; i++) producer.send(new ProducerRecord<>(topic, "key " + i, "" + i));
      producer.flush();
    }
  }

  /** Two members share four partitions; one goes, the other takes over; nothing is lost, and what was committed is not read again. */
  static void consumerGroup(String protocol) throws Exception {
    String topic = "java-" + protocol;
    createTopic(topic, 4);
    Set<Integer> seen = ConcurrentHashMap.newKeySet();
    Map<String, Set<Integer>> partitions = new ConcurrentHashMap<>();
    AtomicInteger deliveries = new AtomicInteger();
    AtomicBoolean[] running = {new AtomicBoolean(true), new AtomicBoolean(true)};
    List<Thread> threads = new ArrayList<>();
    for (int at = 0; at < 2; at++) {
      String name = "member-" + at;
      AtomicBoolean goesOn = running[at];
      Thread thread = new Thread(() -> {
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(properties(
            "group.id", "g-" + protocol, "group.protocol", protocol, "client.id", name,
            "auto.offset.reset", "earliest", "enable.auto.commit", "false"))) {
          consumer.subscribe(List.of(topic));
          while (goesOn.get()) {
            ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(100));
            Set<Integer> mine = new TreeSet<>();
            consumer.assignment().forEach(partition -> mine.add(partition.partition()));
            partitions.put(name, mine);
            for (ConsumerRecord<String, String> record : records) {
              seen.add(Integer.parseInt(record.value()));
              deliveries.incrementAndGet();
            }
            if (!records.isEmpty()) consumer.commitSync();
          }
        }
        partitions.remove(name);
      });
      threads.add(thread);
      thread.start();
    }
    await("both have two", () -> partitions.size() == 2 && partitions.values().stream().allMatch(set -> set.size() == 2));
    produce(topic, 100);
    await("100 seen", () -> seen.size() == 100);
    try (Admin admin = Admin.create(properties())) {
      var described = admin.describeConsumerGroups(List.of("g-" + protocol)).all().get(20, TimeUnit.SECONDS).get("g-" + protocol);
      say("type", described.type());
      say("state", described.groupState());
      say("members", described.members().size());
      say("listed", admin.listGroups().all().get(20, TimeUnit.SECONDS).stream().map(GroupListing::groupId).toList());
    }
    running[0].set(false);
    threads.get(0).join(30_000);
    await("one has four", () -> partitions.size() == 1 && partitions.values().iterator().next().size() == 4);
    produce(topic, 150);
    await("150 seen", () -> seen.size() == 150);
    Thread.sleep(300);
    running[1].set(false);
    threads.get(1).join(30_000);
    say("seen", seen.size());
    say("deliveries", deliveries.get());
    try (Admin admin = Admin.create(properties())) {
      long committed = admin.listConsumerGroupOffsets("g-" + protocol).partitionsToOffsetAndMetadata().get(20, TimeUnit.SECONDS)
          .values().stream().mapToLong(offset -> offset.offset()).sum();
      say("committed", committed);
      admin.deleteConsumerGroups(List.of("g-" + protocol)).all().get(20, TimeUnit.SECONDS);
      say("groups", admin.listGroups().all().get(20, TimeUnit.SECONDS).size());
    }
  }

  /** A subscription by expression that the broker evaluates. */
  static void pattern() throws Exception {
    createTopic("pattern-a", 1);
    createTopic("other", 1);
    produce("pattern-a", 3);
    try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(properties(
        "group.id", "g-pattern", "group.protocol", "consumer", "auto.offset.reset", "earliest"))) {
      consumer.subscribe(new SubscriptionPattern("pattern-[a-z]+"));
      List<String> topics = new ArrayList<>();
      await("three records", () -> {
        consumer.poll(Duration.ofMillis(100)).forEach(record -> topics.add(record.topic()));
        return topics.size() == 3;
      });
      createTopic("pattern-b", 1);
      await("two partitions", () -> {
        consumer.poll(Duration.ofMillis(100));
        return consumer.assignment().size() == 2;
      });
      say("assignment", new TreeSet<>(consumer.assignment().stream().map(Object::toString).toList()));
    }
  }

  /** Records are accepted, released and rejected one by one; two members take different ones. */
  static void share() throws Exception {
    createTopic("java-share", 2);
    Properties settings = properties("group.id", "g-share", "share.acknowledgement.mode", "explicit");
    try (KafkaShareConsumer<String, String> consumer = new KafkaShareConsumer<>(settings)) {
      consumer.subscribe(List.of("java-share"));
      // The group begins at the end of the topic once a member is in.
      consumer.poll(Duration.ofSeconds(2));
      produce("java-share", 10);
      List<String> accepted = new ArrayList<>();
      List<String> again = new ArrayList<>();
      await("all are decided", () -> {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(300))) {
          int number = Integer.parseInt(record.value());
          short deliveries = record.deliveryCount().orElse((short) 0);
          if (number == 3) consumer.acknowledge(record, AcknowledgeType.REJECT);
          else if (number == 5 && deliveries < 3) {
            again.add(number + " x" + deliveries);
            consumer.acknowledge(record, AcknowledgeType.RELEASE);
          } else {
            accepted.add(record.value());
            consumer.acknowledge(record, AcknowledgeType.ACCEPT);
          }
        }
        return consumer.commitSync().values().stream().allMatch(error -> error.isEmpty()) && accepted.size() == 9;
      });
      Collections.sort(accepted);
      say("accepted", accepted);
      say("again", again);
      try (Admin admin = Admin.create(properties())) {
        var described = admin.describeShareGroups(List.of("g-share")).all().get(20, TimeUnit.SECONDS).get("g-share");
        say("state", described.groupState());
        say("members", described.members().size());
      }
    }
    try (KafkaConsumer<String, String> letters = new KafkaConsumer<>(properties(
        "group.id", "letters", "auto.offset.reset", "earliest"))) {
      letters.subscribe(List.of("java-share-g-share-dlq"));
      List<String> found = new ArrayList<>();
      await("the dead letter", () -> {
        for (ConsumerRecord<String, String> record : letters.poll(Duration.ofMillis(200))) {
          found.add(record.value() + " "
              + new String(record.headers().lastHeader("Pillarbox-Dead-Letter-Cause").value(), StandardCharsets.UTF_8));
        }
        return found.size() == 1;
      });
      say("letters", found);
    }
    try (KafkaShareConsumer<String, String> one = new KafkaShareConsumer<>(properties("group.id", "g-share"));
        KafkaShareConsumer<String, String> two = new KafkaShareConsumer<>(properties("group.id", "g-share"))) {
      one.subscribe(List.of("java-share"));
      two.subscribe(List.of("java-share"));
      one.poll(Duration.ofMillis(500));
      two.poll(Duration.ofMillis(500));
      List<String> all = new ArrayList<>();
      produce("java-share", 40);
      await("40 records", () -> {
        one.poll(Duration.ofMillis(100)).forEach(record -> all.add(record.value()));
        two.poll(Duration.ofMillis(100)).forEach(record -> all.add(record.value()));
        return all.size() >= 40;
      });
      say("implicit", all.size() + " " + Set.copyOf(all).size());
    }
  }

  interface Condition {
    boolean holds() throws Exception;
  }

  static void await(String what, Condition condition) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(40);
    while (!condition.holds()) {
      if (System.nanoTime() > deadline) throw new IllegalStateException("never: " + what);
      Thread.sleep(20);
    }
  }
}
