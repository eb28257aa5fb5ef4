import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.springframework.amqp.AmqpRejectAndDontRequeueException;
import org.springframework.amqp.core.Binding;
import org.springframework.amqp.core.BindingBuilder;
import org.springframework.amqp.core.Message;
import org.springframework.amqp.core.Queue;
import org.springframework.amqp.core.QueueBuilder;
import org.springframework.amqp.core.TopicExchange;
import org.springframework.amqp.rabbit.annotation.EnableRabbit;
import org.springframework.amqp.rabbit.annotation.RabbitListener;
import org.springframework.amqp.rabbit.config.SimpleRabbitListenerContainerFactory;
import org.springframework.amqp.rabbit.connection.CachingConnectionFactory;
import org.springframework.amqp.rabbit.connection.ConnectionFactory;
import org.springframework.amqp.rabbit.connection.CorrelationData;
import org.springframework.amqp.rabbit.core.RabbitAdmin;
import org.springframework.amqp.rabbit.core.RabbitTemplate;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * An application of Spring AMQP: declared topology, listeners by annotation, publisher confirms, dead letters, a call.
 * SpringClient AMQP_PORT. The last line is `done`.
 */
public class SpringClient {
  static final int WAIT_SECONDS = 30;
  static final String NAME = "spring-" + System.nanoTime();
  static int port;

  @Configuration
  @EnableRabbit
  public static class Application {
    final Set<String> handled = new ConcurrentSkipListSet<>();
    final CountDownLatch tries = new CountDownLatch(2);

    @Bean
    ConnectionFactory connections() {
      CachingConnectionFactory factory = new CachingConnectionFactory("127.0.0.1", port);
      factory.setPublisherConfirmType(CachingConnectionFactory.ConfirmType.CORRELATED);
      factory.setPublisherReturns(true);
      return factory;
    }

    @Bean
    RabbitAdmin admin(ConnectionFactory connections) {
      return new RabbitAdmin(connections);
    }

    @Bean
    RabbitTemplate template(ConnectionFactory connections) {
      RabbitTemplate template = new RabbitTemplate(connections);
      template.setMandatory(true);
      template.setReplyTimeout(WAIT_SECONDS * 1000L);
      return template;
    }

    @Bean
    SimpleRabbitListenerContainerFactory rabbitListenerContainerFactory(ConnectionFactory connections) {
      SimpleRabbitListenerContainerFactory factory = new SimpleRabbitListenerContainerFactory();
      factory.setConnectionFactory(connections);
      return factory;
    }

    @Bean
    TopicExchange exchange() {
      return new TopicExchange(NAME);
    }

    @Bean
    Queue jobs() {
      return QueueBuilder.durable(NAME).deadLetterExchange("").deadLetterRoutingKey(NAME + "-dead").build();
    }

    @Bean
    Queue dead() {
      return new Queue(NAME + "-dead");
    }

    @Bean
    Queue calls() {
      return new Queue(NAME + "-calls");
    }

    @Bean
    Binding binding() {
      return BindingBuilder.bind(jobs()).to(exchange()).with("jobs.#");
    }

    @RabbitListener(queues = "#{jobs.name}", concurrency = "2")
    void handle(String job) {
      if (job.equals("bad")) throw new AmqpRejectAndDontRequeueException("bad");
      if (job.equals("again") && tries.getCount() > 0) {
        tries.countDown();
        throw new IllegalStateException("once more"); // goes back to the queue
      }
      handled.add(job);
    }

    @RabbitListener(queues = "#{calls.name}")
    String answer(String call) {
      return "re: " + call;
    }
  }

  public static void main(String[] args) throws Exception {
    port = Integer.parseInt(args[0]);
    try (AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext(Application.class)) {
      RabbitTemplate template = context.getBean(RabbitTemplate.class);
      Application application = context.getBean(Application.class);
      for (String job : new String[] {"one", "two", "again", "bad"}) {
        CorrelationData confirmed = new CorrelationData();
        template.convertAndSend(NAME, "jobs.new", job, confirmed);
        expect(confirmed.getFuture().get(WAIT_SECONDS, TimeUnit.SECONDS).ack(), "no confirm of " + job);
        expect(confirmed.getReturned() == null, job + " came back");
      }
      until(() -> application.handled.containsAll(Set.of("one", "two", "again")));
      Message letter = template.receive(NAME + "-dead", WAIT_SECONDS * 1000L);
      expect(letter != null && new String(letter.getBody()).equals("bad"), "the dead letter");
      Map<String, ?> death = letter.getMessageProperties().getXDeathHeader().get(0);
      expect(death.get("reason").equals("rejected"), "" + death);
      CorrelationData returned = new CorrelationData("x");
      template.convertAndSend(NAME, "nowhere", "back", returned);
      expect(returned.getFuture().get(WAIT_SECONDS, TimeUnit.SECONDS).ack(), "no confirm without a route");
      expect(returned.getReturned() != null, "a message without a route did not come back");
      Object reply = template.convertSendAndReceive("", NAME + "-calls", "ping");
      expect("re: ping".equals(reply), "the reply: " + reply);
    }
    System.out.println("done");
    System.exit(0);
  }

  interface Condition {
    boolean holds();
  }

  static void until(Condition condition) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
    while (!condition.holds()) {
      expect(System.nanoTime() < end, "waited in vain");
      Thread.sleep(20);
    }
  }

  static void expect(boolean isSo, String what) {
    if (!isSo) throw new AssertionError(what);
  }
}
