import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.MessageProperties;
import com.rabbitmq.client.Recoverable;
import com.rabbitmq.client.RecoveryListener;
import com.rabbitmq.client.RpcClient;
import com.rabbitmq.client.RpcClientParams;
import com.rabbitmq.client.RpcServer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Scenarios of the Java client, by its defaults: JavaClient AMQP_PORT ADMIN_PORT SCENARIO. The last line is `done`. */
public class JavaClient {
  static final int WAIT_SECONDS = 30;
  static int adminPort;
  static ConnectionFactory factory;

  public static void main(String[] args) throws Exception {
    factory = new ConnectionFactory();
    factory.setHost("127.0.0.1");
    factory.setPort(Integer.parseInt(args[0]));
    adminPort = Integer.parseInt(args[1]);
    String name = "java-" + System.nanoTime();
    switch (args[2]) {
      case "work" -> work(name);
      case "rpc" -> rpc(name, name + "-replies");
      case "direct-reply" -> rpc(name, null);
      case "recovery" -> recovery(name);
      default -> throw new IllegalArgumentException(args[2]);
    }
    System.out.println("done");
    System.exit(0);
  }

  /** An exchange with a queue and its dead letters; confirms, a prefetch, a requeue, a reject. */
  static void work(String name) throws Exception {
    try (Connection connection = factory.newConnection(name)) {
      Channel channel = connection.createChannel();
      channel.exchangeDeclare(name, "topic", true);
      channel.queueDeclare(name + "-dead", true, false, false, null);
      Map<String, Object> arguments =
          Map.of("x-dead-letter-exchange", "", "x-dead-letter-routing-key", name + "-dead", "x-queue-type", "quorum");
      channel.queueDeclare(name, true, false, false, arguments);
      channel.queueBind(name, name, "jobs.*");
      channel.confirmSelect();
      AMQP.BasicProperties properties =
          MessageProperties.PERSISTENT_TEXT_PLAIN.builder().headers(Map.of("n", 7, "text", "x", "list", List.of(1L, 2L))).build();
      int count = 50;
      for (int at = 0; at < count; at++) channel.basicPublish(name, "jobs.new", true, properties, ("" + at).getBytes());
      channel.waitForConfirmsOrDie(WAIT_SECONDS * 1000);
      channel.basicQos(10);
      BlockingQueue<Delivery> deliveries = new LinkedBlockingQueue<>();
      String tag = channel.basicConsume(name, false, (t, delivery) -> deliveries.add(delivery), t -> {});
      int again = 0;
      for (int seen = 0; seen < count + 1; seen++) {
        Delivery delivery = take(deliveries);
        String body = new String(delivery.getBody());
        long deliveryTag = delivery.getEnvelope().getDeliveryTag();
        expect(delivery.getProperties().getHeaders().get("text").toString().equals("x"), "headers");
        if (delivery.getEnvelope().isRedeliver()) {
          expect(body.equals("7"), body + " came again");
          again++;
          channel.basicAck(deliveryTag, false);
        } else if (body.equals("7")) channel.basicNack(deliveryTag, false, true);
        else if (body.equals("9")) channel.basicReject(deliveryTag, false);
        else channel.basicAck(deliveryTag, false);
      }
      expect(again == 1, again + " redeliveries");
      channel.basicCancel(tag);
      channel.basicConsume(name + "-dead", true, (t, delivery) -> deliveries.add(delivery), t -> {});
      Delivery letter = take(deliveries);
      expect(new String(letter.getBody()).equals("9"), "the dead letter");
      Map<?, ?> death = (Map<?, ?>) ((List<?>) letter.getProperties().getHeaders().get("x-death")).get(0);
      expect(death.get("reason").toString().equals("rejected") && death.get("queue").toString().equals(name), "" + death);
      expect(channel.messageCount(name) == 0, "messages are left");
      channel.queueDelete(name);
    }
  }

  /** A call by the client's own RPC classes; without a queue for replies they use direct reply-to. */
  static void rpc(String name, String replies) throws Exception {
    try (Connection connection = factory.newConnection(name)) {
      Channel answering = connection.createChannel();
      answering.queueDeclare(name, false, false, true, null);
      RpcServer server =
          new RpcServer(answering, name) {
            @Override
            public byte[] handleCall(byte[] request, AMQP.BasicProperties reply) {
              return ("re: " + new String(request)).getBytes();
            }
          };
      Thread thread = new Thread(() -> {
        try {
          server.mainloop();
        } catch (Exception ended) {
          // with its channel
        }
      });
      thread.start();
      Channel asking = connection.createChannel();
      RpcClientParams params = new RpcClientParams().channel(asking).exchange("").routingKey(name).timeout(WAIT_SECONDS * 1000);
      if (replies != null) {
        asking.queueDeclare(replies, false, true, true, null);
        params = params.replyTo(replies);
      }
      RpcClient client = new RpcClient(params);
      for (int at = 0; at < 3; at++) expect(client.stringCall("ping " + at).equals("re: ping " + at), "the reply");
      client.close();
      server.terminateMainloop();
    }
  }

  /** The client's automatic recovery: topology and consumers come back after the connection was closed. */
  static void recovery(String name) throws Exception {
    factory.setNetworkRecoveryInterval(200);
    try (Connection connection = factory.newConnection(name)) {
      CountDownLatch recovered = new CountDownLatch(1);
      ((Recoverable) connection).addRecoveryListener(new RecoveryListener() {
        @Override
        public void handleRecovery(Recoverable recoverable) {
          recovered.countDown();
        }

        @Override
        public void handleRecoveryStarted(Recoverable recoverable) {}
      });
      Channel channel = connection.createChannel();
      String queue = channel.queueDeclare().getQueue();
      channel.queueBind(queue, "amq.topic", name + ".#");
      ConcurrentSkipListSet<String> bodies = new ConcurrentSkipListSet<>();
      channel.basicConsume(queue, true, (tag, delivery) -> bodies.add(new String(delivery.getBody())), tag -> {});
      channel.basicPublish("amq.topic", name + ".a", null, "before".getBytes());
      until(() -> bodies.contains("before"));
      kick(name);
      expect(recovered.await(WAIT_SECONDS, TimeUnit.SECONDS), "no recovery");
      channel.basicPublish("amq.topic", name + ".b", null, "after".getBytes());
      until(() -> bodies.contains("after"));
    }
  }

  interface Condition {
    boolean holds() throws Exception;
  }

  static void until(Condition condition) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
    while (!condition.holds()) {
      expect(System.nanoTime() < end, "waited in vain");
      Thread.sleep(20);
    }
  }

  static <T> T take(BlockingQueue<T> queue) throws Exception {
    T taken = queue.poll(WAIT_SECONDS, TimeUnit.SECONDS);
    expect(taken != null, "nothing came");
    return taken;
  }

  /** Closes the connection of this name, as an operator does. */
  static void kick(String name) throws Exception {
    HttpClient http = HttpClient.newHttpClient();
    URI api = URI.create("http://127.0.0.1:" + adminPort + "/api/v1/connections");
    String list = http.send(HttpRequest.newBuilder(api).build(), BodyHandlers.ofString()).body();
    Matcher found = Pattern.compile("\\{[^{}]*\"id\":(\\d+)[^{}]*\"name\":\"" + name + "\"").matcher(list);
    expect(found.find(), "there is no connection " + name);
    HttpRequest request = HttpRequest.newBuilder(URI.create(api + "/" + found.group(1))).DELETE().build();
    http.send(request, BodyHandlers.discarding());
  }

  static void expect(boolean isSo, String what) {
    if (!isSo) throw new AssertionError(what);
  }
}
