"""Scenarios of pika, by its defaults: pika_client.py AMQP_PORT ADMIN_PORT SCENARIO. The last line is `done`."""

import json
import sys
import threading
import urllib.request
import uuid

import pika
from pika.exceptions import AMQPConnectionError, NackError, UnroutableError

port, admin_port, scenario = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]


def connect(**more):
    return pika.BlockingConnection(pika.ConnectionParameters(host="127.0.0.1", port=port, **more))


def unique(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def kick(name):
    """Closes the connection of this name, as an operator does."""
    api = f"http://127.0.0.1:{admin_port}/api/v1/connections"
    with urllib.request.urlopen(api) as answer:
        found = [c["id"] for c in json.load(answer)["connections"] if c["name"] == name]
    assert len(found) == 1, found
    urllib.request.urlopen(urllib.request.Request(f"{api}/{found[0]}", method="DELETE")).close()


def work():
    """A work queue with confirms, a prefetch, requeues and dead letters."""
    connection = connect()
    channel = connection.channel()
    exchange, queue, dead = unique("orders"), unique("jobs"), unique("dead")
    channel.exchange_declare(exchange, "topic", durable=True)
    channel.queue_declare(dead, durable=True)
    arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead}
    channel.queue_declare(queue, durable=True, arguments=arguments)
    channel.queue_bind(queue, exchange, "orders.*")
    channel.confirm_delivery()
    properties = pika.BasicProperties(delivery_mode=2, headers={"n": 7, "list": [1, "two"]}, content_type="text/plain")
    for i in range(20):
        channel.basic_publish(exchange, "orders.new", f"job {i}".encode(), properties, mandatory=True)
    try:
        channel.basic_publish(exchange, "nowhere", b"", mandatory=True)
        assert False, "a message without a route was taken"
    except UnroutableError:
        pass
    channel.basic_qos(prefetch_count=5)
    seen = []
    for method, props, body in channel.consume(queue, inactivity_timeout=10):
        assert method is not None, f"nothing came after {seen}"
        seen.append((body.decode(), method.redelivered))
        assert props.headers == {"n": 7, "list": [1, "two"]}, props.headers
        if body == b"job 3" and not method.redelivered:
            channel.basic_nack(method.delivery_tag, requeue=True)
        elif body == b"job 5":
            channel.basic_reject(method.delivery_tag, requeue=False)
        else:
            channel.basic_ack(method.delivery_tag)
        if len(seen) == 21:
            break
    channel.cancel()
    assert sorted(body for body, again in seen if not again) == sorted(f"job {i}" for i in range(20)), seen
    assert [body for body, again in seen if again] == ["job 3"], seen
    method, props, body = next(channel.consume(dead, auto_ack=True, inactivity_timeout=10))
    channel.cancel()
    assert body == b"job 5" and props.headers["x-death"][0]["reason"] == "rejected", props
    assert props.headers["x-death"][0]["queue"] == queue
    assert channel.queue_declare(queue, passive=True).method.message_count == 0
    channel.queue_delete(queue)
    connection.close()


def limit():
    """A full queue that rejects publishes: each is refused by itself."""
    connection = connect()
    channel = connection.channel()
    queue = unique("full")
    channel.queue_declare(queue, durable=True, arguments={"x-max-length": 2, "x-overflow": "reject-publish"})
    channel.confirm_delivery()
    for _ in range(2):
        channel.basic_publish("", queue, b"x")
    try:
        channel.basic_publish("", queue, b"x")
        assert False, "a full queue took a message"
    except NackError:
        pass
    connection.close()


def rpc():
    """A call with an exclusive queue for its replies, as the tutorial has it."""
    queue = unique("rpc")
    ready = threading.Event()

    def serve():
        connection = connect()
        channel = connection.channel()
        channel.queue_declare(queue)
        channel.basic_qos(prefetch_count=1)

        def answer(ch, method, props, body):
            reply = pika.BasicProperties(correlation_id=props.correlation_id)
            ch.basic_publish("", props.reply_to, body.upper(), reply)
            ch.basic_ack(method.delivery_tag)
            ch.stop_consuming()

        channel.basic_consume(queue, answer)
        ready.set()
        channel.start_consuming()
        connection.close()

    server = threading.Thread(target=serve)
    server.start()
    assert ready.wait(10)
    connection = connect()
    channel = connection.channel()
    replies = channel.queue_declare("", exclusive=True).method.queue
    assert replies.startswith("amq.gen-"), replies
    channel.basic_publish("", queue, b"hello", pika.BasicProperties(reply_to=replies, correlation_id="1"))
    for method, props, body in channel.consume(replies, auto_ack=True, inactivity_timeout=10):
        assert body == b"HELLO" and props.correlation_id == "1", (body, props)
        break
    connection.close()
    server.join(10)


def direct_reply():
    """The same with direct reply-to."""
    queue = unique("direct")
    connection = connect()
    channel = connection.channel()
    channel.queue_declare(queue)
    got = []
    channel.basic_consume("amq.rabbitmq.reply-to", lambda ch, method, props, body: got.append(body), auto_ack=True)
    channel.basic_publish("", queue, b"ping", pika.BasicProperties(reply_to="amq.rabbitmq.reply-to"))
    method, props, body = channel.basic_get(queue, auto_ack=True)
    assert props.reply_to.startswith("amq.rabbitmq.reply-to."), props.reply_to
    channel.basic_publish("", props.reply_to, b"pong")
    while not got:
        connection.process_data_events(time_limit=10)
    assert got == [b"pong"], got
    connection.close()


def reconnect():
    """An operator closes the connection: what was not acked comes again on the next one."""
    name, queue = unique("pika"), unique("again")
    connection = connect(client_properties={"connection_name": name})
    channel = connection.channel()
    channel.queue_declare(queue, durable=True)
    channel.confirm_delivery()
    channel.basic_publish("", queue, b"precious", pika.BasicProperties(delivery_mode=2))
    channel.basic_consume(queue, lambda *delivery: kick(name))
    try:
        channel.start_consuming()
        assert False, "the connection is still open"
    except AMQPConnectionError as error:
        assert error.reply_code == 320, error
    connection = connect()
    channel = connection.channel()
    for method, _, body in channel.consume(queue, inactivity_timeout=10):
        assert body == b"precious" and method.redelivered, (body, method)
        channel.basic_ack(method.delivery_tag)
        break
    connection.close()


def transaction():
    """What is published in a transaction is there after its commit."""
    connection = connect()
    channel = connection.channel()
    queue = unique("tx")
    channel.queue_declare(queue, durable=True)
    channel.tx_select()
    channel.basic_publish("", queue, b"dropped")
    channel.tx_rollback()
    channel.basic_publish("", queue, b"kept")
    channel.tx_commit()
    assert channel.basic_get(queue, auto_ack=True)[2] == b"kept"
    connection.close()


scenarios = {f.__name__: f for f in (work, limit, rpc, direct_reply, reconnect, transaction)}
scenarios[scenario]()
print("done")
