// The Go client against a server: `client ADDRESS SCENARIO`. Exit code 0 means that the scenario held; otherwise the
// first thing that was not as expected stands on stderr.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go"
)

// Generous: a slow machine must not fail a test.
const wait = 20 * time.Second

var scenarios = map[string]func(nc *nats.Conn, name string){
	"core":              core,
	"legacy-publish":    legacyPublish,
	"legacy-subscribe":  legacySubscribe,
	"legacy-pull":       legacyPull,
	"legacy-key-value":  legacyKeyValue,
	"jetstream-streams": jetstreamStreams,
	"jetstream-consume": jetstreamConsume,
	"jetstream-ordered": jetstreamOrdered,
	"jetstream-values":  jetstreamKeyValue,
	"jetstream-pinned":  jetstreamPinned,
}

func main() {
	if len(os.Args) != 3 || scenarios[os.Args[2]] == nil {
		fmt.Fprintln(os.Stderr, "usage: client ADDRESS SCENARIO")
		os.Exit(2)
	}
	nc, err := nats.Connect("nats://"+os.Args[1], nats.Timeout(wait))
	check(err, "connect")
	defer nc.Close()
	scenarios[os.Args[2]](nc, fmt.Sprintf("go-%d", time.Now().UnixNano()))
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

func check(err error, what string) {
	if err != nil {
		fail("%s: %v", what, err)
	}
}

func equal[T comparable](got, want T, what string) {
	if got != want {
		fail("%s: got %v, want %v", what, got, want)
	}
}

// eventually waits for a condition; time is the last thing it trusts.
func eventually(condition func() bool, what string) {
	for deadline := time.Now().Add(wait); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			fail("waited in vain for %s", what)
		}
	}
}
