package main

import (
	"context"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const minISR = "min.insync.replicas"

// create TOPIC PARTITIONS REPLICAS MIN_ISR
func create(ctx context.Context, client *kgo.Client, arguments []string) error {
	partitions, err := strconv.ParseInt(arguments[1], 10, 32)
	if err != nil {
		return err
	}
	replicas, err := strconv.ParseInt(arguments[2], 10, 16)
	if err != nil {
		return err
	}
	configs := map[string]*string{minISR: &arguments[3]}
	_, err = kadm.NewClient(client).CreateTopic(
		ctx, int32(partitions), int16(replicas), configs, arguments[0],
	)
	return err
}

// alter TOPIC PARTITIONS MIN_ISR
func alter(ctx context.Context, client *kgo.Client, arguments []string) error {
	partitions, err := strconv.Atoi(arguments[1])
	if err != nil {
		return err
	}
	admin := kadm.NewClient(client)
	grown, err := admin.UpdatePartitions(ctx, partitions, arguments[0])
	if err != nil {
		return err
	}
	if err = grown.Error(); err != nil {
		return err
	}
	change := kadm.AlterConfig{Op: kadm.SetConfig, Name: minISR, Value: &arguments[2]}
	altered, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{change}, arguments[0])
	if err != nil {
		return err
	}
	_, err = altered.On(arguments[0], func(each *kadm.AlterConfigsResponse) error { return each.Err })
	return err
}

// describe TOPIC
func describe(ctx context.Context, client *kgo.Client, arguments []string) error {
	admin := kadm.NewClient(client)
	topics, err := admin.ListTopics(ctx, arguments[0])
	if err != nil {
		return err
	}
	type partition struct {
		Partition int32   `json:"partition"`
		Leader    int32   `json:"leader"`
		Replicas  []int32 `json:"replicas"`
		ISR       []int32 `json:"isr"`
	}
	found := []partition{}
	for _, each := range topics[arguments[0]].Partitions.Sorted() {
		isr := append([]int32{}, each.ISR...) // none would be null, not []
		found = append(found, partition{each.Partition, each.Leader, each.Replicas, isr})
	}
	least := ""
	if len(found) > 0 {
		configs, err := admin.DescribeTopicConfigs(ctx, arguments[0])
		if err != nil {
			return err
		}
		for _, config := range configs[0].Configs {
			if config.Key == minISR {
				least = config.MaybeValue()
			}
		}
	}
	say(map[string]any{"partitions": found, "min_isr": least})
	return nil
}

// delete TOPIC
func remove(ctx context.Context, client *kgo.Client, arguments []string) error {
	_, err := kadm.NewClient(client).DeleteTopic(ctx, arguments[0])
	return err
}
