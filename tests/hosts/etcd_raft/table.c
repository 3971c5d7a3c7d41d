/* The table of this library. Go's own prototypes know no const, which these give back. */
#include "_cgo_export.h"

static raft_host_node create(const raft_host_config* config) {
    return etcd_raft_create((raft_host_config*)config);
}

static int32_t propose(raft_host_node node, const uint8_t* data, size_t size, uint64_t* index) {
    return etcd_raft_propose(node, (uint8_t*)data, size, index);
}

static int32_t change(raft_host_node node,
                      const raft_host_change* steps,
                      uint32_t count,
                      uint32_t how,
                      uint64_t* index) {
    return etcd_raft_change(node, (raft_host_change*)steps, count, how, index);
}

static int32_t step(raft_host_node node, const uint8_t* data, size_t size) {
    return etcd_raft_step(node, (uint8_t*)data, size);
}

static int32_t describe(const uint8_t* data, size_t size, raft_host_message* about) {
    return etcd_raft_describe((uint8_t*)data, size, about);
}

static const insync_raft_reader reader = {
    .abi = INSYNC_RAFT_ABI,
    .read = etcd_raft_read,
    .version = etcd_raft_version,
};

static const raft_host host = {
    .name = "etcd raft 3.6.0",
    .reader = &reader,
    .create = create,
    .destroy = etcd_raft_destroy,
    .tick = etcd_raft_tick,
    .campaign = etcd_raft_campaign,
    .transfer = etcd_raft_transfer,
    .propose = propose,
    .change = change,
    .step = step,
    .report_unreachable = etcd_raft_report_unreachable,
    .report_snapshot = etcd_raft_report_snapshot,
    .next_message = etcd_raft_next_message,
    .describe = describe,
    .newest_write = etcd_raft_newest_write,
    .persist = etcd_raft_persist,
    .crash = etcd_raft_crash,
    .restart = etcd_raft_restart,
    .wipe = etcd_raft_wipe,
    .compact = etcd_raft_compact,
    .entry = etcd_raft_entry,
    .disk = etcd_raft_disk,
    .disk_entry = etcd_raft_disk_entry,
    .last_error = etcd_raft_last_error,
};

const raft_host* etcd_raft_host(void) {
    return &host;
}
