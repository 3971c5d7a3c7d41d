// A small client on franz-go: one verb a run, told in client_programs.py.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

var verbs = map[string]func(context.Context, *kgo.Client, []string) error{
	"create": create, "alter": alter, "describe": describe, "delete": remove,
	"consume": consume,
}

var printing sync.Mutex

// say prints one line of JSON; also called from the library's threads.
func say(what any) {
	line, err := json.Marshal(what)
	if err != nil {
		panic(err)
	}
	printing.Lock()
	defer printing.Unlock()
	fmt.Println(string(line))
}

func connect(options ...kgo.Opt) (*kgo.Client, error) {
	servers := kgo.SeedBrokers(strings.Split(os.Args[1], ",")...)
	return kgo.NewClient(append(options, servers)...)
}

func run() error {
	ctx := context.Background()
	verb, arguments := os.Args[2], os.Args[3:]
	switch verb {
	case "produce":
		return produce(ctx, arguments)
	case "join":
		return join(ctx, arguments)
	}
	act, known := verbs[verb]
	if !known {
		return fmt.Errorf("no verb is called %q", verb)
	}
	client, err := connect()
	if err != nil {
		return err
	}
	defer client.Close()
	return act(ctx, client, arguments)
}

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: client HOST:PORT,... VERB ARGUMENT...")
		os.Exit(2)
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
