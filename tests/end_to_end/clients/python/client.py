"""A small client on confluent-kafka: one verb a run, told in client_programs.py."""

import json
import sys
import threading

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic,
)

SERVERS = {"bootstrap.servers": sys.argv[1], "log_level": 2}
MIN_ISR = "min.insync.replicas"


def say(**what):
    print(json.dumps(what), flush=True)


def wait_for(futures):
    """What each one gives; its exception if it failed."""
    return [future.result(30) for future in futures.values()]


def create(topic, partitions, replicas, min_isr):
    admin = AdminClient(SERVERS)  # its end would be the request's
    new = NewTopic(topic, int(partitions), int(replicas), config={MIN_ISR: min_isr})
    wait_for(admin.create_topics([new]))


def alter(topic, partitions, min_isr):
    admin = AdminClient(SERVERS)
    wait_for(admin.create_partitions([NewPartitions(topic, int(partitions))]))
    change = ConfigEntry(MIN_ISR, min_isr, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[change])
    wait_for(admin.incremental_alter_configs([resource]))


def describe(topic):
    admin = AdminClient(SERVERS)
    # Asked for by its name, a topic that is gone would be created again.
    found = admin.list_topics(timeout=30).topics.get(topic)
    partitions = [] if found is None else [
        {"partition": each.id, "leader": each.leader, "replicas": each.replicas, "isr": each.isrs}
        for each in found.partitions.values()
    ]
    min_isr = ""
    if partitions:
        (config,) = wait_for(
            admin.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, topic)])
        )
        min_isr = config[MIN_ISR].value
    say(partitions=sorted(partitions, key=lambda each: each["partition"]), min_isr=min_isr)


def delete(topic):
    admin = AdminClient(SERVERS)
    wait_for(admin.delete_topics([topic]))


def produce(topic, acks, codec, mode):
    compression = {} if codec == "default" else {"compression.type": codec}
    producer = Producer({
        **SERVERS, **compression, "acks": acks, "enable.idempotence": mode == "idempotent",
        "delivery.timeout.ms": 60_000, "linger.ms": 5,
    })

    def delivered(error, message):
        value = message.value().decode()
        if error is not None:
            say(value=value, error=str(error))
        else:
            say(value=value, offset=message.offset())

    for line in sys.stdin:
        value = line.rstrip("\n")
        producer.produce(topic, value, value, on_delivery=delivered)
        producer.poll(0)
    producer.flush()


def checked(message):
    """The message; None if there is none yet."""
    if message is not None and message.error() is not None:
        raise RuntimeError(str(message.error()))
    return message


def say_record(message):
    say(partition=message.partition(), offset=message.offset(), value=message.value().decode())


def consume(topic):
    """What is there by now."""
    consumer = Consumer({**SERVERS, "group.id": "none", "enable.auto.commit": False})
    numbers = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    left = {}
    for number in numbers:
        _, end = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=30)
        if end > 0:
            left[number] = end
    consumer.assign([TopicPartition(topic, number, 0) for number in left])
    while left:
        message = checked(consumer.poll(1))
        if message is not None:
            say_record(message)
            if message.offset() + 1 >= left.get(message.partition(), sys.maxsize):
                del left[message.partition()]
    consumer.close()


def join(group, topic):
    """Until stdin ends; then it commits what it has read, and leaves."""
    consumer = Consumer({
        **SERVERS, "group.id": group, "auto.offset.reset": "earliest", "session.timeout.ms": 10_000,
        "heartbeat.interval.ms": 500,
    })

    def assigned(_, partitions):
        say(assigned=sorted(each.partition for each in partitions))

    consumer.subscribe([topic], on_assign=assigned, on_revoke=lambda *_: say(assigned=[]))
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    while not ended.is_set():
        message = checked(consumer.poll(0.1))
        if message is not None:
            say_record(message)
    consumer.close()


VERBS = {each.__name__: each
         for each in (create, alter, describe, delete, produce, consume, join)}

if __name__ == "__main__":
    VERBS[sys.argv[2]](*sys.argv[3:])
