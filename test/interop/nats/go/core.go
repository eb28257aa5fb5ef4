package main

import (
	"errors"
	"sync/atomic"

	"github.com/nats-io/nats.go"
)

func core(nc *nats.Conn, name string) {
	var all, shared [2]atomic.Int64
	count := func(counter *atomic.Int64) nats.MsgHandler {
		return func(*nats.Msg) { counter.Add(1) }
	}
	for i := range 2 {
		_, err := nc.Subscribe(name+".*", count(&all[i]))
		check(err, "subscribe")
		_, err = nc.QueueSubscribe(name+".>", "workers", count(&shared[i]))
		check(err, "queue subscribe")
	}
	for range 1000 {
		check(nc.Publish(name+".a", []byte("x")), "publish")
	}
	check(nc.Flush(), "flush")
	eventually(func() bool { return all[0].Load() == 1000 && all[1].Load() == 1000 }, "every subscriber to get everything")
	eventually(func() bool { return shared[0].Load()+shared[1].Load() == 1000 }, "the queue group to share")
	if shared[0].Load() == 0 || shared[1].Load() == 0 {
		fail("one member of the queue group got everything")
	}

	_, err := nc.Subscribe(name+"-echo", func(m *nats.Msg) {
		reply := nats.NewMsg(m.Reply)
		reply.Data = m.Data
		reply.Header.Set("Seen", m.Header.Get("Ask"))
		check(m.RespondMsg(reply), "respond")
	})
	check(err, "subscribe")
	request := nats.NewMsg(name + "-echo")
	request.Data = []byte("hello")
	request.Header.Set("Ask", "yes")
	reply, err := nc.RequestMsg(request, wait)
	check(err, "request")
	equal(string(reply.Data), "hello", "reply")
	equal(reply.Header.Get("Seen"), "yes", "reply header")

	_, err = nc.Request(name+"-nobody", nil, wait)
	if !errors.Is(err, nats.ErrNoResponders) {
		fail("request to nobody: %v", err)
	}

	sub, err := nc.SubscribeSync(name + "-max")
	check(err, "subscribe")
	check(sub.AutoUnsubscribe(2), "auto unsubscribe")
	for range 5 {
		check(nc.Publish(name+"-max", nil), "publish")
	}
	for range 2 {
		_, err = sub.NextMsg(wait)
		check(err, "next message")
	}
	if _, err = sub.NextMsg(wait); !errors.Is(err, nats.ErrMaxMessages) {
		fail("a third message: %v", err)
	}

	closed := make(chan struct{})
	nc.SetClosedHandler(func(*nats.Conn) { close(closed) })
	check(nc.Drain(), "drain")
	<-closed
}
