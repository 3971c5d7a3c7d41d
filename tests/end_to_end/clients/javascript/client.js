// A small client on KafkaJS: one verb a run, told in client_programs.py.
'use strict'

const readline = require('node:readline')
const {
  Kafka, CompressionTypes, ConfigResourceTypes, Partitioners, logLevel,
} = require('kafkajs')

const [servers, verb, ...parameters] = process.argv.slice(2)
const kafka = new Kafka({
  brokers: servers.split(','),
  logLevel: logLevel.NOTHING,
  retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 100 },
})
const minIsr = 'min.insync.replicas'
const codecs = {
  default: CompressionTypes.None,
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
}

const say = (what) => process.stdout.write(JSON.stringify(what) + '\n')
const topicConfig = (topic) => ({ type: ConfigResourceTypes.TOPIC, name: topic })

async function withAdmin(act) {
  const admin = kafka.admin()
  await admin.connect()
  try {
    await act(admin)
  } finally {
    await admin.disconnect()
  }
}

const create = (topic, partitions, replicas, least) => withAdmin((admin) =>
  admin.createTopics({
    topics: [{
      topic,
      numPartitions: Number(partitions),
      replicationFactor: Number(replicas),
      configEntries: [{ name: minIsr, value: least }],
    }],
  }))

const alter = (topic, partitions, least) => withAdmin(async (admin) => {
  await admin.createPartitions({ topicPartitions: [{ topic, count: Number(partitions) }] })
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ ...topicConfig(topic), configEntries: [{ name: minIsr, value: least }] }],
  })
})

const describe = (topic) => withAdmin(async (admin) => {
  // Asked for by its name, a topic that is gone would be created again.
  const found = (await admin.fetchTopicMetadata()).topics.find((each) => each.name === topic)
  const partitions = (found?.partitions ?? [])
    .map((each) => ({
      partition: each.partitionId, leader: each.leader, replicas: each.replicas, isr: each.isr,
    }))
    .sort((one, other) => one.partition - other.partition)
  let least = ''
  if (partitions.length > 0) {
    const answer = await admin.describeConfigs({ resources: [topicConfig(topic)] })
    const entries = answer.resources[0].configEntries
    least = entries.find((each) => each.configName === minIsr).configValue
  }
  say({ partitions, min_isr: least })
})

const remove = (topic) => withAdmin((admin) => admin.deleteTopics({ topics: [topic] }))

// Lines of stdin, as many at a time as have come: the library makes a request of each send.
async function * chunksOfLines() {
  const waiting = []
  let wake = () => {}
  let ended = false
  const lines = readline.createInterface({ input: process.stdin })
  lines.on('line', (line) => { waiting.push(line); wake() })
  lines.on('close', () => { ended = true; wake() })
  while (!ended || waiting.length > 0) {
    if (waiting.length > 0) {
      yield waiting.splice(0, 500)
    } else {
      await new Promise((resolve) => { wake = resolve })
    }
  }
}

// Says by which partition a value goes.
async function chooser(topic) {
  let partitionMetadata
  await withAdmin(async (admin) => {
    partitionMetadata = (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions
  })
  const choose = Partitioners.DefaultPartitioner()
  return (value) => choose({ topic, partitionMetadata, message: { key: value, value } })
}

// A send to one partition each: in a retry of one to several, KafkaJS 2.2.4 takes a partition for
// written whose new leader has answered for another one before (docs/clients.md).
async function produce(topic, acks, codec, mode) {
  // With acks=0 nothing else tells it that a partition has another leader.
  const producer = kafka.producer({
    idempotent: mode === 'idempotent', maxInFlightRequests: 1, metadataMaxAge: 2000,
  })
  await producer.connect()
  const partitionOf = await chooser(topic)

  async function send(partition, values) {
    try {
      await producer.send({
        topic,
        messages: values.map((value) => ({ key: value, value, partition })),
        acks: acks === 'all' ? -1 : Number(acks),
        compression: codecs[codec],
      })
      values.forEach((value) => say({ value }))
    } catch (error) {
      values.forEach((value) => say({ value, error: String(error) }))
    }
  }

  for await (const values of chunksOfLines()) {
    const parts = new Map()
    for (const value of values) {
      const partition = partitionOf(value)
      parts.set(partition, [...(parts.get(partition) ?? []), value])
    }
    await Promise.all([...parts].map(([partition, part]) => send(partition, part)))
  }
  await producer.disconnect()
}

const sayRecord = (partition, message) =>
  say({ partition, offset: Number(message.offset), value: message.value.toString() })

// What is there by now. The library reads as a member of a group only.
async function consume(topic) {
  const left = new Map()
  await withAdmin(async (admin) => {
    for (const { partition, high } of await admin.fetchTopicOffsets(topic)) {
      if (Number(high) > 0) left.set(partition, Number(high))
    }
  })
  if (left.size === 0) return
  // An end waits for the fetches under way.
  const groupId = `reader-${process.pid}-${Date.now()}`
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  let finish
  const finished = new Promise((resolve) => { finish = resolve })
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      sayRecord(partition, message)
      if (Number(message.offset) + 1 >= left.get(partition)) left.delete(partition)
      if (left.size === 0) finish()
    },
  })
  await finished
  await consumer.disconnect()
}

// Until stdin ends; then it commits what it has read, and leaves.
async function join(group, topic) {
  const consumer = kafka.consumer({
    groupId: group, sessionTimeout: 10000, heartbeatInterval: 500, maxWaitTimeInMs: 200,
  })
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    say({ assigned: (payload.memberAssignment[topic] ?? []).sort((one, other) => one - other) })
  })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const ended = new Promise((resolve) => process.stdin.resume().on('end', resolve))
  await consumer.run({
    eachMessage: async ({ partition, message }) => sayRecord(partition, message),
  })
  await ended
  await consumer.stop()
  await consumer.disconnect()
}

const verbs = { create, alter, describe, delete: remove, produce, consume, join }
verbs[verb](...parameters).catch((error) => {
  process.stderr.write(`${error.stack}\n`)
  process.exit(1)
})
