package main

import (
	"crypto/rand"
	"encoding/binary"
	"io"
	"log"
	"sync"

	"go.etcd.io/raft/v3"
)

// The library draws election timeouts from crypto/rand, for all groups of the process. Here each
// node has a seed of its own, and whoever calls the library lends it for the time of the call.
type generator struct {
	mutex sync.Mutex
	seed  *uint64
}

var chosen = &generator{}

func init() { rand.Reader = chosen }

func (g *generator) Read(bytes []byte) (int, error) {
	for at := range bytes {
		*g.seed += 0x9e3779b97f4a7c15
		mixed := *g.seed
		mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9
		mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb
		var eight [8]byte
		binary.LittleEndian.PutUint64(eight[:], mixed^(mixed>>31))
		bytes[at] = eight[0]
	}
	return len(bytes), nil
}

// lend makes the library draw from seed until the function that it returns is called.
func (g *generator) lend(seed *uint64) func() {
	g.mutex.Lock()
	g.seed = seed
	return func() {
		g.seed = nil
		g.mutex.Unlock()
	}
}

// A logger that says nothing, and does not end the process.
type quiet struct{ *raft.DefaultLogger }

var logger = quiet{&raft.DefaultLogger{Logger: log.New(io.Discard, "", 0)}}

func (q quiet) Fatal(words ...interface{})                 { q.Panic(words...) }
func (q quiet) Fatalf(format string, words ...interface{}) { q.Panicf(format, words...) }
