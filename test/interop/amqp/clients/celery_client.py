"""A worker of Celery and its tasks, by their defaults: celery_client.py AMQP_PORT …. The last line is `done`."""

import sys
import time
import uuid

from celery import Celery, chain, group
from celery.contrib.testing.worker import start_worker

port = int(sys.argv[1])
app = Celery("pillarbox", broker=f"amqp://guest:guest@127.0.0.1:{port}//", backend="rpc://")
app.conf.task_default_queue = f"celery-{uuid.uuid4().hex[:8]}"

tries = []


@app.task
def add(a, b):
    return a + b


@app.task(bind=True, max_retries=3)
def flaky(self):
    tries.append(self.request.retries)
    if len(tries) < 3:
        raise self.retry(countdown=0.2)
    return "at last"


@app.task(acks_late=True, priority=3)
def later():
    return time.time()


with start_worker(app, perform_ping_check=False, pool="solo", loglevel="warning", shutdown_timeout=20):
    assert add.delay(2, 3).get(timeout=20) == 5
    assert group(add.s(i, i) for i in range(10))().get(timeout=20) == [2 * i for i in range(10)]
    assert chain(add.s(1, 2), add.s(10))().get(timeout=20) == 13
    assert flaky.delay().get(timeout=20) == "at last"
    assert tries == [0, 1, 2], tries
    beforehand = time.time()
    assert later.apply_async(countdown=1).get(timeout=20) >= beforehand + 1
    answers = app.control.ping(timeout=5)
    assert len(answers) == 1 and list(answers[0].values()) == [{"ok": "pong"}], answers
    app.control.broadcast("rate_limit", arguments={"task_name": "pillarbox.add", "rate_limit": "100/s"})
print("done")
