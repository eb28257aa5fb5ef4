// franz-go against a broker: `client ADDRESS SCENARIO`. Exit code 0 means that the scenario held; otherwise the first thing
// that was not as expected stands on stderr.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Generous: a slow machine must not fail a test.
const wait = 40 * time.Second

var address string

var scenarios = map[string]func(ctx context.Context, topic string){
	"produce":      produce,
	"group":        group,
	"transactions": transactions,
	"exactly-once": exactlyOnce,
}

func main() {
	if len(os.Args) != 3 || scenarios[os.Args[2]] == nil {
		fmt.Fprintln(os.Stderr, "usage: client ADDRESS SCENARIO")
		os.Exit(2)
	}
	address = os.Args[1]
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	scenarios[os.Args[2]](ctx, fmt.Sprintf("franz-%d", time.Now().UnixNano()))
}

// produce: batches of each compression, by an idempotent producer, come back in order with keys and headers.
func produce(ctx context.Context, topic string) {
	create(ctx, topic, 1)
	codecs := []kgo.CompressionCodec{
		kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression(),
	}
	const each = 200
	for at, codec := range codecs {
		producer := client(kgo.DefaultProduceTopic(topic), kgo.ProducerBatchCompression(codec))
		var records []*kgo.Record
		for i := range each {
			record := kgo.KeyStringRecord(fmt.Sprint("key ", at), fmt.Sprint(at*each+i))
			record.Headers = []kgo.RecordHeader{{Key: "codec", Value: []byte{byte(at)}}}
			records = append(records, record)
		}
		check(producer.ProduceSync(ctx, records...).FirstErr(), "produce")
		producer.Close()
	}
	consumer := client(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer consumer.Close()
	for at, record := range take(ctx, consumer, each*len(codecs)) {
		equal(string(record.Value), fmt.Sprint(at), "value")
		equal(record.Offset, int64(at), "offset")
		equal(string(record.Key), fmt.Sprint("key ", at/each), "key")
		equal(record.Headers[0].Value[0], byte(at/each), "header")
	}
}

// group: two members share four partitions; the second goes on from what both have committed when the first has left.
func group(ctx context.Context, topic string) {
	create(ctx, topic, 4)
	member := func() *kgo.Client {
		return client(
			kgo.ConsumerGroup("g-"+topic), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.Balancers(kgo.CooperativeStickyBalancer()),
		)
	}
	first, second := member(), member()
	seen := map[string]int{}
	byMember := map[*kgo.Client]int{}
	sent := 0
	for ctx.Err() == nil && (byMember[first] == 0 || byMember[second] == 0) {
		send(ctx, topic, &sent, 40)
		for _, each := range []*kgo.Client{first, second} {
			poll, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
			fetches := each.PollFetches(poll)
			cancel()
			fetches.EachRecord(func(record *kgo.Record) {
				seen[string(record.Value)]++
				byMember[each]++
			})
			check(each.CommitUncommittedOffsets(ctx), "commit")
		}
	}
	first.Close()
	send(ctx, topic, &sent, 40)
	for ctx.Err() == nil && len(seen) < sent {
		fetches := second.PollFetches(ctx)
		fetches.EachRecord(func(record *kgo.Record) { seen[string(record.Value)]++ })
		check(second.CommitUncommittedOffsets(ctx), "commit")
	}
	second.Close()
	equal(len(seen), sent, "records seen")
	after := member()
	defer after.Close()
	quiet, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	after.PollFetches(quiet).EachRecord(func(record *kgo.Record) {
		fail("%s was committed, and came again", record.Value)
	})
}

// transactions: readers of committed data see what was committed, and nothing of what was aborted.
func transactions(ctx context.Context, topic string) {
	create(ctx, topic, 2)
	producer := client(kgo.DefaultProduceTopic(topic), kgo.TransactionalID("t-"+topic))
	for i, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort, kgo.TryCommit} {
		check(producer.BeginTransaction(), "begin")
		for j := range 10 {
			producer.Produce(ctx, kgo.StringRecord(fmt.Sprint(i, " ", j)), nil)
		}
		check(producer.Flush(ctx), "flush")
		check(producer.EndTransaction(ctx, end), "end")
	}
	producer.Close()
	equal(len(committed(ctx, topic, 20)), 20, "committed records")
}

// exactlyOnce: a session copies a topic, and commits its positions with the copies.
func exactlyOnce(ctx context.Context, topic string) {
	create(ctx, topic, 2)
	create(ctx, topic+"-copy", 2)
	sent := 0
	send(ctx, topic, &sent, 60)
	session, err := kgo.NewGroupTransactSession(
		kgo.SeedBrokers(address), kgo.TransactionalID("s-"+topic), kgo.DefaultProduceTopic(topic+"-copy"),
		kgo.ConsumerGroup("g-"+topic), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.RequireStableFetchOffsets(), kgo.FetchMaxPartitionBytes(300),
	)
	check(err, "session")
	for copied, turn := 0, 0; copied < sent; turn++ {
		fetches := session.PollFetches(ctx)
		check(fetches.Err0(), "poll")
		check(session.Begin(), "begin")
		count := 0
		fetches.EachRecord(func(record *kgo.Record) {
			session.Produce(ctx, &kgo.Record{Key: record.Key, Value: record.Value}, nil)
			count++
		})
		// Every third turn is taken back, and its records come again.
		end := kgo.TransactionEndTry(turn%3 != 1)
		isCommitted, err := session.End(ctx, end)
		check(err, "end")
		if isCommitted {
			copied += count
		}
	}
	session.Close()
	values := map[string]bool{}
	for _, record := range committed(ctx, topic+"-copy", sent) {
		values[string(record.Value)] = true
	}
	equal(len(values), sent, "distinct copies")
}

// committed takes so many committed records, and makes sure that no more are there.
func committed(ctx context.Context, topic string, count int) []*kgo.Record {
	reader := client(
		kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
	)
	defer reader.Close()
	records := take(ctx, reader, count)
	quiet, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	reader.PollFetches(quiet).EachRecord(func(record *kgo.Record) { fail("%q is one record too many", record.Value) })
	return records
}

func take(ctx context.Context, consumer *kgo.Client, count int) []*kgo.Record {
	var records []*kgo.Record
	for len(records) < count {
		fetches := consumer.PollFetches(ctx)
		if ctx.Err() != nil {
			fail("got %d records, want %d", len(records), count)
		}
		check(fetches.Err0(), "poll")
		records = append(records, fetches.Records()...)
	}
	equal(len(records), count, "records")
	return records
}

// send adds so many records with the next numbers as values.
func send(ctx context.Context, topic string, sent *int, count int) {
	producer := client(kgo.DefaultProduceTopic(topic))
	defer producer.Close()
	for range count {
		value := fmt.Sprint(*sent)
		check(producer.ProduceSync(ctx, kgo.KeyStringRecord(value, value)).FirstErr(), "produce")
		*sent++
	}
}

func create(ctx context.Context, topic string, partitions int32) {
	admin := client()
	defer admin.Close()
	wanted := kmsg.NewCreateTopicsRequestTopic()
	wanted.Topic, wanted.NumPartitions, wanted.ReplicationFactor = topic, partitions, 1
	request := kmsg.NewPtrCreateTopicsRequest()
	request.Topics = append(request.Topics, wanted)
	response, err := request.RequestWith(ctx, admin)
	check(err, "create topics")
	check(kerr.ErrorForCode(response.Topics[0].ErrorCode), "create "+topic)
}

func client(options ...kgo.Opt) *kgo.Client {
	made, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(address)}, options...)...)
	check(err, "client")
	return made
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

func check(err error, what string) {
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		fail("%s: %v", what, err)
	}
	if err != nil {
		fail("%s: not in time", what)
	}
}

func equal[T comparable](got, want T, what string) {
	if got != want {
		fail("%s: got %v, want %v", what, got, want)
	}
}
