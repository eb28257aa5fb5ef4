package main

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

func legacy(nc *nats.Conn, name string, config nats.StreamConfig) nats.JetStreamContext {
	js, err := nc.JetStream(nats.MaxWait(wait))
	check(err, "jetstream")
	config.Name = name
	config.Subjects = []string{name + ".>"}
	_, err = js.AddStream(&config)
	check(err, "add stream")
	return js
}

func publishNumbers(js nats.JetStreamContext, subject string, count int) {
	for i := 1; i <= count; i++ {
		ack, err := js.Publish(subject, fmt.Appendf(nil, "%d", i))
		check(err, "publish")
		equal(ack.Sequence, uint64(i), "sequence")
	}
}

func legacyPublish(nc *nats.Conn, name string) {
	js := legacy(nc, name, nats.StreamConfig{MaxMsgs: 1000})
	ack, err := js.Publish(name+".a", []byte("one"), nats.MsgId("id"))
	check(err, "publish")
	equal(ack.Stream, name, "stream")
	equal(ack.Sequence, 1, "sequence")
	ack, err = js.Publish(name+".a", []byte("one"), nats.MsgId("id"))
	check(err, "publish again")
	equal(ack.Duplicate, true, "duplicate")

	var apiError *nats.APIError
	_, err = js.Publish(name+".a", nil, nats.ExpectLastSequence(7))
	if !errors.As(err, &apiError) || apiError.ErrorCode != nats.JSErrCodeStreamWrongLastSequence {
		fail("a wrong expectation: %v", err)
	}
	if _, err = js.Publish("nobody.captures.this", nil, nats.RetryAttempts(0)); !errors.Is(err, nats.ErrNoStreamResponse) {
		fail("publish without a stream: %v", err)
	}

	for range 500 {
		_, err = js.PublishAsync(name+".b", []byte("async"))
		check(err, "publish async")
	}
	select {
	case <-js.PublishAsyncComplete():
	case <-time.After(wait):
		fail("async publishes did not complete")
	}
	info, err := js.StreamInfo(name)
	check(err, "stream info")
	equal(info.State.Msgs, 501, "messages")
	check(js.PurgeStream(name), "purge")
	check(js.DeleteStream(name), "delete stream")
	if _, err = js.StreamInfo(name); !errors.Is(err, nats.ErrStreamNotFound) {
		fail("info of a deleted stream: %v", err)
	}
}

func legacySubscribe(nc *nats.Conn, name string) {
	js := legacy(nc, name, nats.StreamConfig{Retention: nats.WorkQueuePolicy})
	var mutex sync.Mutex
	seen := map[string]int{}
	sub, err := js.Subscribe(name+".a", func(m *nats.Msg) {
		mutex.Lock()
		defer mutex.Unlock()
		seen[string(m.Data)]++
		// The second message is refused once.
		if string(m.Data) == "2" && seen["2"] == 1 {
			check(m.Nak(), "nak")
			return
		}
		check(m.Ack(), "ack")
	}, nats.Durable("worker"), nats.ManualAck(), nats.AckExplicit())
	check(err, "subscribe")
	publishNumbers(js, name+".a", 5)
	eventually(func() bool {
		info, err := js.StreamInfo(name)
		return err == nil && info.State.Msgs == 0
	}, "the queue to be empty")
	mutex.Lock()
	equal(len(seen), 5, "different messages")
	equal(seen["2"], 2, "deliveries of the refused one")
	mutex.Unlock()
	check(sub.Unsubscribe(), "unsubscribe")

	// A queue group on a durable push consumer.
	js = legacy(nc, name+"-q", nats.StreamConfig{})
	var counts [2]int
	for member := range 2 {
		_, err = js.QueueSubscribe(name+"-q.>", "workers", func(m *nats.Msg) {
			mutex.Lock()
			counts[member]++
			mutex.Unlock()
			check(m.AckSync(), "ack sync")
		}, nats.Durable("workers"), nats.ManualAck())
		check(err, "queue subscribe")
	}
	publishNumbers(js, name+"-q.a", 100)
	eventually(func() bool {
		mutex.Lock()
		defer mutex.Unlock()
		return counts[0]+counts[1] == 100
	}, "the queue group to get everything once")

	// An ordered consumer.
	ordered, err := js.SubscribeSync(name+"-q.>", nats.OrderedConsumer())
	check(err, "ordered")
	for i := 1; i <= 100; i++ {
		m, err := ordered.NextMsg(wait)
		check(err, "next ordered message")
		equal(string(m.Data), fmt.Sprint(i), "ordered message")
	}
}

func legacyPull(nc *nats.Conn, name string) {
	js := legacy(nc, name, nats.StreamConfig{})
	publishNumbers(js, name+".a", 10)
	sub, err := js.PullSubscribe(name+".a", "puller", nats.AckWait(wait))
	check(err, "pull subscribe")
	messages, err := sub.Fetch(10, nats.MaxWait(wait))
	check(err, "fetch")
	equal(len(messages), 10, "fetched")
	for i, m := range messages {
		equal(string(m.Data), fmt.Sprint(i+1), "message")
		meta, err := m.Metadata()
		check(err, "metadata")
		equal(meta.Sequence.Stream, uint64(i+1), "stream sequence")
		equal(meta.NumDelivered, 1, "deliveries")
		equal(meta.NumPending, uint64(9-i), "pending")
		if i == 0 {
			check(m.NakWithDelay(200*time.Millisecond), "nak with delay")
		} else {
			check(m.AckSync(), "ack sync")
		}
	}
	messages, err = sub.Fetch(1, nats.MaxWait(wait))
	check(err, "fetch again")
	meta, err := messages[0].Metadata()
	check(err, "metadata")
	equal(meta.NumDelivered, 2, "deliveries after a nak")
	check(messages[0].Term(), "term")
	if _, err = sub.Fetch(1, nats.MaxWait(300*time.Millisecond)); !errors.Is(err, nats.ErrTimeout) {
		fail("fetch from an empty consumer: %v", err)
	}
	info, err := js.ConsumerInfo(name, "puller")
	check(err, "consumer info")
	equal(info.AckFloor.Stream, 10, "ack floor")
	check(js.DeleteConsumer(name, "puller"), "delete consumer")
}

func legacyKeyValue(nc *nats.Conn, name string) {
	js, err := nc.JetStream(nats.MaxWait(wait))
	check(err, "jetstream")
	kv, err := js.CreateKeyValue(&nats.KeyValueConfig{Bucket: name, History: 5})
	check(err, "create bucket")
	revision, err := kv.Create("a", []byte("1"))
	check(err, "create key")
	if _, err = kv.Create("a", []byte("2")); !errors.Is(err, nats.ErrKeyExists) {
		fail("create twice: %v", err)
	}
	_, err = kv.Update("a", []byte("2"), revision)
	check(err, "update")
	entry, err := kv.Get("a")
	check(err, "get")
	equal(string(entry.Value()), "2", "value")
	check(kv.Delete("a"), "delete")
	if _, err = kv.Get("a"); !errors.Is(err, nats.ErrKeyNotFound) {
		fail("get of a deleted key: %v", err)
	}
	history, err := kv.History("a")
	check(err, "history")
	equal(len(history), 3, "history")
}
