"""Scenarios of kombu, by its defaults: kombu_client.py AMQP_PORT ADMIN_PORT SCENARIO. The last line is `done`."""

import json
import socket
import sys
import time
import urllib.request
import uuid

from kombu import Connection, Consumer, Exchange, Producer, Queue
from kombu.mixins import ConsumerMixin

port, admin_port, scenario = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
url = f"amqp://guest:guest@127.0.0.1:{port}//"


def unique(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def kick_all():
    """Closes every connection of AMQP, as an operator does."""
    api = f"http://127.0.0.1:{admin_port}/api/v1/connections"
    with urllib.request.urlopen(api) as answer:
        found = [c["id"] for c in json.load(answer)["connections"] if c["protocol"] == "amqp"]
    assert found
    for id in found:
        urllib.request.urlopen(urllib.request.Request(f"{api}/{id}", method="DELETE")).close()


def work():
    """Declares by entities, publishes with confirms and a retry policy, acks, requeues and rejects."""
    dead = Queue(unique("dead"), durable=True)
    exchange = Exchange(unique("media"), "direct", durable=True)
    arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead.name}
    queue = Queue(unique("video"), exchange=exchange, routing_key="video", queue_arguments=arguments)
    with Connection(url, transport_options={"confirm_publish": True}) as connection:
        dead(connection).declare()
        producer = connection.Producer()
        for i in range(10):
            producer.publish({"n": i}, retry=True, exchange=exchange, routing_key="video", declare=[queue])
        seen, requeued, letters = [], set(), []

        def take(body, message):
            n = body["n"]
            seen.append(n)
            if n == 3 and n not in requeued:
                requeued.add(n)
                message.requeue()
            elif n == 5:
                message.reject()
            else:
                message.ack()

        with connection.Consumer(queue, callbacks=[take], prefetch_count=3):
            while len(seen) < 11:
                connection.drain_events(timeout=10)
        assert sorted(seen) == sorted([*range(10), 3]), seen
        with connection.Consumer(dead, callbacks=[lambda body, message: letters.append(message)]):
            while not letters:
                connection.drain_events(timeout=10)
        [letter] = letters
        assert letter.payload == {"n": 5} and letter.headers["x-death"][0]["reason"] == "rejected", letter.headers
        letter.ack()


def recover():
    """A consumer that outlives its connection, by kombu's mixin."""
    queue = Queue(unique("again"), durable=True)

    class Worker(ConsumerMixin):
        def __init__(self, connection):
            self.connection = connection
            self.seen = []

        def get_consumers(self, Consumer, channel):
            return [Consumer([queue], callbacks=[self.take])]

        def take(self, body, message):
            self.seen.append((body, message.delivery_info["redelivered"]))
            if len(self.seen) == 1:
                kick_all()
                return
            message.ack()
            self.should_stop = True

    with Connection(url) as connection:
        queue(connection).declare()
        connection.Producer().publish("precious", routing_key=queue.name)
        connection.close()
    with Connection(url, heartbeat=4) as connection:
        worker = Worker(connection)
        worker.run()
        assert worker.seen == [("precious", False), ("precious", True)], worker.seen


def simple():
    """The simple interface."""
    with Connection(url) as connection:
        queue = connection.SimpleQueue(unique("simple"))
        queue.put({"hello": "world"}, serializer="json", compression="zlib")
        message = queue.get(block=True, timeout=10)
        assert message.payload == {"hello": "world"}, message.payload
        message.ack()
        queue.close()


scenarios = {f.__name__: f for f in (work, recover, simple)}
scenarios[scenario]()
print("done")
