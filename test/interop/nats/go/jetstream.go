package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func newStream(nc *nats.Conn, name string, config jetstream.StreamConfig) (context.Context, jetstream.JetStream, jetstream.Stream) {
	js, err := jetstream.New(nc)
	check(err, "jetstream")
	ctx, cancel := context.WithTimeout(context.Background(), 2*wait)
	// The program ends with its scenario.
	_ = cancel
	config.Name = name
	config.Subjects = []string{name + ".>"}
	stream, err := js.CreateStream(ctx, config)
	check(err, "create stream")
	return ctx, js, stream
}

func publishAll(ctx context.Context, js jetstream.JetStream, subject string, count int) {
	for i := 1; i <= count; i++ {
		_, err := js.Publish(ctx, subject, fmt.Appendf(nil, "%d", i))
		check(err, "publish")
	}
}

func jetstreamStreams(nc *nats.Conn, name string) {
	ctx, js, stream := newStream(nc, name, jetstream.StreamConfig{MaxMsgsPerSubject: 2, AllowDirect: true, Discard: jetstream.DiscardOld})
	_, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: name, Subjects: []string{name + ".other"}})
	if !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		fail("create with another configuration: %v", err)
	}
	publishAll(ctx, js, name+".a", 5)
	publishAll(ctx, js, name+".b", 1)
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(">"))
	check(err, "info")
	equal(info.State.Msgs, 3, "messages")
	equal(info.State.Subjects[name+".a"], 2, "messages of a subject")
	last, err := stream.GetLastMsgForSubject(ctx, name+".a")
	check(err, "last message")
	equal(last.Sequence, 5, "last sequence")
	if _, err = stream.GetMsg(ctx, 1); !errors.Is(err, jetstream.ErrMsgNotFound) {
		fail("a message that is gone: %v", err)
	}
	check(stream.DeleteMsg(ctx, 4), "delete message")
	check(stream.Purge(ctx, jetstream.WithPurgeSubject(name+".b")), "purge")
	info, err = stream.Info(ctx)
	check(err, "info")
	equal(info.State.Msgs, 1, "messages left")
	names := 0
	for range js.StreamNames(ctx).Name() {
		names++
	}
	if names == 0 {
		fail("no stream names")
	}
	_, err = js.Publish(ctx, name+".a", nil, jetstream.WithExpectLastSequencePerSubject(1))
	var apiError *jetstream.APIError
	if !errors.As(err, &apiError) || apiError.ErrorCode != jetstream.JSErrCodeStreamWrongLastSequence {
		fail("a wrong expectation: %v", err)
	}
	check(js.DeleteStream(ctx, name), "delete stream")
	if _, err = js.Stream(ctx, name); !errors.Is(err, jetstream.ErrStreamNotFound) {
		fail("a deleted stream: %v", err)
	}
}

func jetstreamConsume(nc *nats.Conn, name string) {
	ctx, js, stream := newStream(nc, name, jetstream.StreamConfig{Retention: jetstream.WorkQueuePolicy})
	publishAll(ctx, js, name+".a", 100)
	consumer, err := stream.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: "worker", AckPolicy: jetstream.AckExplicitPolicy, AckWait: wait, MaxAckPending: 50,
	})
	check(err, "create consumer")

	batch, err := consumer.Fetch(10, jetstream.FetchMaxWait(wait))
	check(err, "fetch")
	fetched := 0
	for m := range batch.Messages() {
		check(m.DoubleAck(ctx), "double ack")
		fetched++
	}
	check(batch.Error(), "fetch")
	equal(fetched, 10, "fetched")

	var refused, acked atomic.Int64
	consuming, err := consumer.Consume(func(m jetstream.Msg) {
		meta, err := m.Metadata()
		check(err, "metadata")
		if meta.Sequence.Stream%10 == 0 && meta.NumDelivered == 1 {
			refused.Add(1)
			check(m.NakWithDelay(100*time.Millisecond), "nak")
			return
		}
		check(m.InProgress(), "in progress")
		check(m.Ack(), "ack")
		acked.Add(1)
	}, jetstream.PullMaxMessages(20))
	check(err, "consume")
	eventually(func() bool {
		info, err := stream.Info(ctx)
		return err == nil && info.State.Msgs == 0
	}, "the queue to be empty")
	consuming.Stop()
	equal(refused.Load(), 9, "refused")
	equal(acked.Load(), 90, "acked")

	publishAll(ctx, js, name+".a", 3)
	messages, err := consumer.Messages()
	check(err, "messages")
	for i := 1; i <= 3; i++ {
		m, err := messages.Next()
		check(err, "next")
		equal(string(m.Data()), fmt.Sprint(i), "message")
		check(m.TermWithReason("enough"), "term")
	}
	messages.Stop()
	eventually(func() bool {
		info, err := consumer.Info(ctx)
		return err == nil && info.NumAckPending == 0
	}, "nothing to be pending")
	check(stream.DeleteConsumer(ctx, "worker"), "delete consumer")
	if _, err = stream.Consumer(ctx, "worker"); !errors.Is(err, jetstream.ErrConsumerNotFound) {
		fail("a deleted consumer: %v", err)
	}
}

func jetstreamOrdered(nc *nats.Conn, name string) {
	ctx, js, stream := newStream(nc, name, jetstream.StreamConfig{})
	publishAll(ctx, js, name+".a", 200)
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{FilterSubjects: []string{name + ".a"}})
	check(err, "ordered consumer")
	messages, err := consumer.Messages()
	check(err, "messages")
	for i := 1; i <= 200; i++ {
		m, err := messages.Next()
		check(err, "next")
		equal(string(m.Data()), fmt.Sprint(i), "message")
	}
	messages.Stop()
}

func jetstreamKeyValue(nc *nats.Conn, name string) {
	js, err := jetstream.New(nc)
	check(err, "jetstream")
	ctx, cancel := context.WithTimeout(context.Background(), 2*wait)
	defer cancel()
	kv, err := js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: name, History: 3})
	check(err, "create bucket")
	watcher, err := kv.WatchAll(ctx)
	check(err, "watch")
	if entry := <-watcher.Updates(); entry != nil {
		fail("an empty bucket has an entry: %v", entry.Key())
	}
	_, err = kv.PutString(ctx, "a.b", "1")
	check(err, "put")
	entry := <-watcher.Updates()
	equal(entry.Key(), "a.b", "watched key")
	equal(string(entry.Value()), "1", "watched value")
	_, err = kv.Update(ctx, "a.b", []byte("2"), entry.Revision())
	check(err, "update")
	if _, err = kv.Update(ctx, "a.b", []byte("3"), entry.Revision()); err == nil {
		fail("an update from an old revision went through")
	}
	got, err := kv.Get(ctx, "a.b")
	check(err, "get")
	equal(string(got.Value()), "2", "value")
	keys, err := kv.Keys(ctx)
	check(err, "keys")
	equal(len(keys), 1, "keys")
	check(kv.Purge(ctx, "a.b"), "purge")
	if _, err = kv.Get(ctx, "a.b"); !errors.Is(err, jetstream.ErrKeyNotFound) {
		fail("get of a purged key: %v", err)
	}
	check(watcher.Stop(), "stop")
}

func jetstreamPinned(nc *nats.Conn, name string) {
	ctx, js, stream := newStream(nc, name, jetstream.StreamConfig{})
	_, err := stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		Durable:        "c",
		AckPolicy:      jetstream.AckExplicitPolicy,
		PriorityPolicy: jetstream.PriorityPolicyPinned,
		PriorityGroups: []string{"g"},
		PinnedTTL:      time.Minute,
	})
	check(err, "create a consumer with a pinned client")
	var first, second atomic.Int32
	consume := func(count *atomic.Int32) jetstream.ConsumeContext {
		consumer, err := stream.Consumer(ctx, "c")
		check(err, "consumer")
		consuming, err := consumer.Consume(func(msg jetstream.Msg) {
			count.Add(1)
			check(msg.Ack(), "ack")
		}, jetstream.PullPriorityGroup("g"), jetstream.PullMaxMessages(4))
		check(err, "consume")
		return consuming
	}
	defer consume(&first).Stop()
	publishAll(ctx, js, name+".a", 1)
	eventually(func() bool { return first.Load() == 1 }, "the first client is pinned")
	defer consume(&second).Stop()
	publishAll(ctx, js, name+".a", 9)
	eventually(func() bool { return first.Load() == 10 }, "the pinned client gets all")
	equal(second.Load(), 0, "messages of the other client")
	consumer, err := stream.Consumer(ctx, "c")
	check(err, "consumer")
	info, err := consumer.Info(ctx)
	check(err, "info")
	equal(len(info.PriorityGroups), 1, "priority groups")
	if info.PriorityGroups[0].PinnedClientID == "" {
		fail("no client is pinned")
	}
	check(stream.UnpinConsumer(ctx, "c", "g"), "unpin")
	publishAll(ctx, js, name+".a", 1)
	eventually(func() bool { return second.Load() == 1 }, "the other client takes over")
	if err = stream.UnpinConsumer(ctx, "c", "other"); err == nil {
		fail("a group that does not exist was unpinned")
	}
}
