// amqp091-go against a broker: `client AMQP_PORT ADMIN_PORT SCENARIO`. Exit code 0 means that the scenario held;
// otherwise the first thing that was not as expected stands on stderr.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Generous: a slow machine must not fail a test.
const wait = 40 * time.Second

var amqpPort, adminPort string

var scenarios = map[string]func(ctx context.Context, name string){
	"work":      work,
	"rpc":       rpc,
	"reconnect": reconnect,
}

func main() {
	if len(os.Args) != 4 || scenarios[os.Args[3]] == nil {
		fmt.Fprintln(os.Stderr, "usage: client AMQP_PORT ADMIN_PORT SCENARIO")
		os.Exit(2)
	}
	amqpPort, adminPort = os.Args[1], os.Args[2]
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	scenarios[os.Args[3]](ctx, fmt.Sprintf("go-%d", time.Now().UnixNano()))
}

// work: an exchange with a queue and its dead letters; deferred confirms, a prefetch, a requeue, a reject.
func work(ctx context.Context, name string) {
	connection := dial(name)
	defer connection.Close()
	channel := open(connection)
	check(channel.ExchangeDeclare(name, "topic", true, false, false, false, nil), "declare the exchange")
	_, err := channel.QueueDeclare(name+"-dead", true, false, false, false, nil)
	check(err, "declare the queue of dead letters")
	arguments := amqp.Table{"x-dead-letter-exchange": "", "x-dead-letter-routing-key": name + "-dead"}
	_, err = channel.QueueDeclare(name, true, false, false, false, arguments)
	check(err, "declare the queue")
	check(channel.QueueBind(name, "jobs.#", name, false, nil), "bind")
	check(channel.Confirm(false), "confirms")
	returned := channel.NotifyReturn(make(chan amqp.Return, 1))

	const count = 50
	var confirmations []*amqp.DeferredConfirmation
	for at := range count {
		confirmation, err := channel.PublishWithDeferredConfirmWithContext(ctx, name, "jobs.new", true, false, amqp.Publishing{
			DeliveryMode: amqp.Persistent,
			ContentType:  "text/plain",
			Headers:      amqp.Table{"at": int32(at), "nested": amqp.Table{"when": time.Unix(1_700_000_000, 0)}},
			Body:         fmt.Append(nil, at),
		})
		check(err, "publish")
		confirmations = append(confirmations, confirmation)
	}
	for _, confirmation := range confirmations {
		acked, err := confirmation.WaitContext(ctx)
		expect(err == nil && acked, "a confirm: %v %v", acked, err)
	}
	check(channel.PublishWithContext(ctx, name, "nowhere", true, false, amqp.Publishing{Body: []byte("back")}), "publish")
	back := <-returned
	expect(back.ReplyCode == 312 && string(back.Body) == "back", "returned %d %s", back.ReplyCode, back.Body)

	check(channel.Qos(10, 0, false), "prefetch")
	deliveries, err := channel.ConsumeWithContext(ctx, name, "worker", false, false, false, false, nil)
	check(err, "consume")
	again := 0
	for seen := 0; seen < count+1; seen++ {
		delivery := next(ctx, deliveries)
		switch body := string(delivery.Body); {
		case delivery.Redelivered:
			expect(body == "7", "%s came again", body)
			again++
			check(delivery.Ack(false), "ack")
		case body == "7":
			check(delivery.Nack(false, true), "nack")
		case body == "9":
			check(delivery.Reject(false), "reject")
		default:
			nested := delivery.Headers["nested"].(amqp.Table)
			expect(nested["when"].(time.Time).Unix() == 1_700_000_000, "headers %v", delivery.Headers)
			check(delivery.Ack(false), "ack")
		}
	}
	expect(again == 1, "%d redeliveries", again)
	check(channel.Cancel("worker", false), "cancel")
	letters, err := channel.ConsumeWithContext(ctx, name+"-dead", "", true, false, false, false, nil)
	check(err, "consume dead letters")
	letter := next(ctx, letters)
	expect(string(letter.Body) == "9", "the dead letter %s", letter.Body)
	death := letter.Headers["x-death"].([]interface{})[0].(amqp.Table)
	expect(death["reason"] == "rejected" && death["queue"] == name, "x-death %v", death)
	_, err = channel.QueueDelete(name, false, false, false)
	check(err, "delete")
}

// rpc: a call with an exclusive queue for its replies.
func rpc(ctx context.Context, name string) {
	server, client := dial(name+"-server"), dial(name+"-client")
	defer server.Close()
	defer client.Close()
	answering, asking := open(server), open(client)
	_, err := answering.QueueDeclare(name, false, true, false, false, nil)
	check(err, "declare")
	requests, err := answering.ConsumeWithContext(ctx, name, "", true, false, false, false, nil)
	check(err, "consume")
	go func() {
		for request := range requests {
			_ = answering.PublishWithContext(ctx, "", request.ReplyTo, false, false, amqp.Publishing{
				CorrelationId: request.CorrelationId,
				Body:          append([]byte("re: "), request.Body...),
			})
		}
	}()
	queue, err := asking.QueueDeclare("", false, false, true, false, nil)
	check(err, "declare the queue of replies")
	replies, err := asking.ConsumeWithContext(ctx, queue.Name, "", true, true, false, false, nil)
	check(err, "consume replies")
	check(asking.PublishWithContext(ctx, "", name, false, false, amqp.Publishing{
		ReplyTo: queue.Name, CorrelationId: "7", Body: []byte("ping"),
	}), "ask")
	reply := next(ctx, replies)
	expect(reply.CorrelationId == "7" && string(reply.Body) == "re: ping", "reply %s %s", reply.CorrelationId, reply.Body)
}

// reconnect: an operator closes the connection; what was not acked comes again on the next one.
func reconnect(ctx context.Context, name string) {
	connection := dial(name)
	channel := open(connection)
	_, err := channel.QueueDeclare(name, true, false, false, false, nil)
	check(err, "declare")
	check(channel.Confirm(false), "confirms")
	confirmation, err := channel.PublishWithDeferredConfirmWithContext(ctx, "", name, false, false, amqp.Publishing{Body: []byte("precious")})
	check(err, "publish")
	confirmation.Wait()
	deliveries, err := channel.ConsumeWithContext(ctx, name, "", false, false, false, false, nil)
	check(err, "consume")
	next(ctx, deliveries)
	closed := connection.NotifyClose(make(chan *amqp.Error, 1))
	kick(name)
	select {
	case reason := <-closed:
		expect(reason != nil && reason.Code == amqp.ConnectionForced, "closed with %v", reason)
	case <-ctx.Done():
		fail("the connection is still open")
	}
	connection = dial(name)
	defer connection.Close()
	channel = open(connection)
	deliveries, err = channel.ConsumeWithContext(ctx, name, "", false, false, false, false, nil)
	check(err, "consume again")
	delivery := next(ctx, deliveries)
	expect(delivery.Redelivered && string(delivery.Body) == "precious", "redelivered %v %s", delivery.Redelivered, delivery.Body)
	check(delivery.Ack(false), "ack")
}

// dial gives the connection a name by which it is found.
func dial(name string) *amqp.Connection {
	config := amqp.Config{Properties: amqp.NewConnectionProperties()}
	config.Properties.SetClientConnectionName(name)
	connection, err := amqp.DialConfig("amqp://guest:guest@127.0.0.1:"+amqpPort+"/", config)
	check(err, "connect")
	return connection
}

func open(connection *amqp.Connection) *amqp.Channel {
	channel, err := connection.Channel()
	check(err, "open a channel")
	return channel
}

func next(ctx context.Context, deliveries <-chan amqp.Delivery) amqp.Delivery {
	select {
	case delivery, ok := <-deliveries:
		expect(ok, "the consumer has ended")
		return delivery
	case <-ctx.Done():
		fail("no delivery")
		panic("unreachable")
	}
}

// kick closes the connection of this name, as an operator does.
func kick(name string) {
	api := "http://127.0.0.1:" + adminPort + "/api/v1/connections"
	answer, err := http.Get(api)
	check(err, "list the connections")
	defer answer.Body.Close()
	var list struct {
		Connections []struct {
			ID   int    `json:"id"`
			Name string `json:"name"`
		} `json:"connections"`
	}
	check(json.NewDecoder(answer.Body).Decode(&list), "read the connections")
	for _, connection := range list.Connections {
		if connection.Name != name {
			continue
		}
		request, _ := http.NewRequest(http.MethodDelete, fmt.Sprint(api, "/", connection.ID), nil)
		answer, err := http.DefaultClient.Do(request)
		check(err, "close the connection")
		answer.Body.Close()
		return
	}
	fail("there is no connection %s", name)
}

func check(err error, what string) {
	expect(err == nil, "%s: %v", what, err)
}

func expect(isSo bool, format string, values ...any) {
	if !isSo {
		fail(format, values...)
	}
}

func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(1)
}
