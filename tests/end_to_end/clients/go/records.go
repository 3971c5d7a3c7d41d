package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"sort"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

var codecs = map[string]kgo.CompressionCodec{
	"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
	"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
}

var levels = map[string]kgo.Acks{"all": kgo.AllISRAcks(), "1": kgo.LeaderAck(), "0": kgo.NoAck()}

// produce TOPIC ACKS CODEC idempotent|plain
func produce(ctx context.Context, arguments []string) error {
	options := []kgo.Opt{kgo.RequiredAcks(levels[arguments[1]]), kgo.RecordDeliveryTimeout(time.Minute)}
	if codec := arguments[2]; codec != "default" {
		options = append(options, kgo.ProducerBatchCompression(codecs[codec]))
	}
	if arguments[3] == "plain" {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	client, err := connect(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		value := lines.Text()
		record := &kgo.Record{Topic: arguments[0], Key: []byte(value), Value: []byte(value)}
		client.Produce(ctx, record, func(record *kgo.Record, err error) {
			if err != nil {
				say(map[string]any{"value": string(record.Value), "error": err.Error()})
			} else {
				say(map[string]any{"value": string(record.Value), "offset": record.Offset})
			}
		})
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return client.Flush(ctx)
}

func sayRecord(record *kgo.Record) {
	say(map[string]any{
		"partition": record.Partition, "offset": record.Offset, "value": string(record.Value),
	})
}

// consume TOPIC: what is there by now.
func consume(ctx context.Context, client *kgo.Client, arguments []string) error {
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, arguments[0])
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return err
	}
	left := map[int32]int64{}
	ends.Each(func(end kadm.ListedOffset) {
		if end.Offset > 0 {
			left[end.Partition] = end.Offset
		}
	})
	reader, err := connect(
		kgo.ConsumeTopics(arguments[0]), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	if err != nil {
		return err
	}
	defer reader.Close()
	for len(left) > 0 {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(record *kgo.Record) {
			sayRecord(record)
			if record.Offset+1 >= left[record.Partition] {
				delete(left, record.Partition)
			}
		})
	}
	return nil
}

// Partitions that a member has, as what changes is all that the library says.
type assignment struct {
	mutex sync.Mutex
	held  map[int32]bool
}

func (a *assignment) change(changed map[string][]int32, held bool) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	for _, partitions := range changed {
		for _, partition := range partitions {
			a.held[partition] = held
		}
	}
	numbers := []int{}
	for partition, held := range a.held {
		if held {
			numbers = append(numbers, int(partition))
		}
	}
	sort.Ints(numbers)
	say(map[string]any{"assigned": numbers})
}

// join GROUP TOPIC: until stdin ends; then it commits what it has read, and leaves.
func join(ctx context.Context, arguments []string) error {
	has := assignment{held: map[int32]bool{}}
	change := func(held bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, changed map[string][]int32) {
			has.change(changed, held)
		}
	}
	client, err := connect(
		kgo.ConsumerGroup(arguments[0]), kgo.ConsumeTopics(arguments[1]),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.OnPartitionsAssigned(change(true)),
		kgo.HeartbeatInterval(time.Second/2), kgo.OnPartitionsRevoked(change(false)), kgo.OnPartitionsLost(change(false)),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	polling, stop := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	for polling.Err() == nil {
		client.PollFetches(polling).EachRecord(sayRecord)
	}
	if err := client.CommitUncommittedOffsets(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
