#pragma once

#include "kafka/messages/fetch.hpp"
#include "kafka/messages/metadata.hpp"
#include "kafka/messages/produce.hpp"
#include "log/record_batch.hpp"
#include "mini_broker/log/batches.hpp"
#include "mini_broker/simulation/sim_oracle.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace mini_broker::simulation {

/// A batch whose records are the bytes of `value`.
inline std::string batch_of(std::string_view value, log_test::Wanted wanted = {}) {
    wanted.body = value.size();
    std::string batch = log_test::make_batch(wanted);
    value.copy(batch.data() + kBatchHeader, value.size());
    boost::endian::store_big_u32(reinterpret_cast<unsigned char*>(batch.data()) + 17,
                                 crc32c(std::string_view{batch}.substr(21)));
    return batch;
}

/// \param records  one batch, which must stay where it is until the request was sent
inline kafka::ProduceRequest produce_request(const std::string& topic,
                                             std::int32_t partition,
                                             std::string_view records,
                                             std::int16_t acks = -1) {
    kafka::ProduceRequest request;
    request.acks = acks;
    request.timeout_ms = 3000;
    request.topic_data.push_back({topic, {{partition, records}}});
    return request;
}

inline kafka::FetchRequest fetch_request(const std::string& topic,
                                         std::int32_t partition,
                                         Offset offset,
                                         std::int32_t max_wait_ms = 0) {
    kafka::FetchRequest request;
    request.max_wait_ms = max_wait_ms;
    request.min_bytes = 1;
    request.topics.push_back({topic, {}, {{partition, -1, offset, -1, -1, 1 << 20}}});
    return request;
}

struct Shown {
    Offset base_offset = 0;
    std::int32_t records = 0;
    std::string value;
    bool operator==(const Shown&) const = default;
};

/// The batches of a fetch answer.
inline std::vector<Shown> batches_in(std::string_view records) {
    std::vector<Shown> batches;
    while (!records.empty()) {
        const auto header = parse_header(records);
        if (!header || header->size > records.size() ||
            !crc_matches(records.substr(0, header->size)))
            GroupOracle::fail("a fetch answer holds what is no batch");
        batches.push_back({header->base_offset, header->record_count,
                           std::string{records.substr(kBatchHeader, header->size - kBatchHeader)}});
        records.remove_prefix(header->size);
    }
    return batches;
}

/// What clients were told, and what must be true of it at every step.
class ClientOracle {
public:
    using Partition = std::pair<std::string, std::int32_t>;

    /// A write was answered without an error.
    void acknowledged(const Partition& partition, const Shown& batch, std::uint64_t epoch) {
        expect_same(partition, batch, "acknowledged");
        acknowledged_[partition][batch.base_offset] = batch;
        auto& newest = newest_[partition];
        newest.push_back({batch.base_offset + batch.records, epoch});
    }
    /// A write was refused before it was appended.
    void refused(const std::string& value) {
        refused_.insert(value);
        if (shown_values_.contains(value)) fail_refused(value);
    }
    /// A fetch from `offset` was answered without an error.
    void fetched(NodeId node,
                 std::uint64_t run,
                 const Partition& partition,
                 Offset offset,
                 const kafka::FetchResponse::Partition& answer) {
        Offset next = offset;
        for (const Shown& batch : batches_in(answer.records)) {
            if (batch.base_offset + batch.records <= offset || batch.base_offset > next)
                GroupOracle::fail("node {}: {}-{} from {} shows a batch at {} after {}", node,
                                  partition.first, partition.second, offset, batch.base_offset,
                                  next);
            next = batch.base_offset + batch.records;
            expect_same(partition, batch, "shown");
            shown_values_.insert(batch.value);
            if (refused_.contains(batch.value)) fail_refused(batch.value);
        }
        if (next > std::max(offset, answer.high_watermark))
            GroupOracle::fail("node {}: {}-{} shows up to {}, committed is {}", node,
                              partition.first, partition.second, next, answer.high_watermark);
        Offset& known = high_watermarks_[{node, run, partition}];
        if (answer.high_watermark < known)
            GroupOracle::fail("node {}: the high watermark of {}-{} fell from {} to {}", node,
                              partition.first, partition.second, known, answer.high_watermark);
        known = answer.high_watermark;
    }
    /// The end of what was acknowledged up to now in epochs before or up to this one.
    [[nodiscard]] Offset acknowledged_end(const Partition& partition, std::uint64_t epoch) const {
        Offset end = 0;
        const auto found = newest_.find(partition);
        if (found == newest_.end()) return end;
        for (const auto& [offset, of] : found->second)
            if (of <= epoch) end = std::max(end, offset);
        return end;
    }
    void metadata(NodeId node, std::uint64_t run, const kafka::MetadataResponse& response) {
        for (const auto& topic : response.topics)
            for (const auto& partition : topic.partitions) check(node, run, topic, partition);
    }
    /// The whole of a partition, at the end.
    void whole(const Partition& partition, const std::vector<Shown>& batches) {
        std::map<Offset, Shown> by_offset;
        std::set<std::string> values;
        for (const Shown& batch : batches) {
            by_offset[batch.base_offset] = batch;
            if (!values.insert(batch.value).second)
                GroupOracle::fail("{}-{} holds '{}' twice", partition.first, partition.second,
                                  batch.value);
        }
        for (const auto& [offset, batch] : acknowledged_[partition])
            if (!by_offset.contains(offset) || by_offset[offset] != batch)
                GroupOracle::fail("{}-{}: '{}', acknowledged at {}, is gone", partition.first,
                                  partition.second, batch.value, offset);
        for (const auto& [offset, batch] : told_[partition])
            if (!by_offset.contains(offset))
                GroupOracle::fail("{}-{}: '{}', shown at {}, is gone", partition.first,
                                  partition.second, batch.value, offset);
    }
    [[nodiscard]] std::size_t acknowledged_count() const {
        std::size_t count = 0;
        for (const auto& [partition, batches] : acknowledged_) count += batches.size();
        return count;
    }

private:
    void expect_same(const Partition& partition, const Shown& batch, std::string_view how) {
        const auto [known, is_new] = told_[partition].try_emplace(batch.base_offset, batch);
        if (!is_new && known->second != batch)
            GroupOracle::fail("{}-{}: '{}' is {} at {}, where '{}' was", partition.first,
                              partition.second, batch.value, how, batch.base_offset,
                              known->second.value);
    }
    [[noreturn]] static void fail_refused(const std::string& value) {
        GroupOracle::fail("'{}' was refused before it was appended, and can be read", value);
    }

    void check(NodeId node,
               std::uint64_t run,
               const kafka::MetadataResponse::Topic& topic,
               const kafka::MetadataResponse::Partition& partition) {
        const auto in = [](const std::vector<std::int32_t>& nodes, std::int32_t one) {
            return std::find(nodes.begin(), nodes.end(), one) != nodes.end();
        };
        const std::string name = topic.name.value_or("?");
        if (partition.leader_id >= 0 && !in(partition.isr_nodes, partition.leader_id))
            GroupOracle::fail("node {}: the leader {} of {}-{} is not in its ISR", node,
                              partition.leader_id, name, partition.partition_index);
        for (const std::int32_t member : partition.isr_nodes)
            if (!in(partition.replica_nodes, member))
                GroupOracle::fail("node {}: {} is in the ISR of {}-{}, but no replica", node,
                                  member, name, partition.partition_index);
        if (std::set<std::int32_t>(partition.isr_nodes.begin(), partition.isr_nodes.end()).size() !=
            partition.isr_nodes.size())
            GroupOracle::fail("node {}: the ISR of {}-{} names a node twice", node, name,
                              partition.partition_index);
        if (partition.leader_id < 0) return;
        auto& [epoch, leader] = epochs_[{node, run, topic.topic_id, partition.partition_index}];
        if (partition.leader_epoch < epoch)
            GroupOracle::fail("node {}: the epoch of {}-{} fell from {} to {}", node, name,
                              partition.partition_index, epoch, partition.leader_epoch);
        epoch = partition.leader_epoch;
        leader = partition.leader_id;
    }

    std::map<Partition, std::map<Offset, Shown>> told_;
    std::map<Partition, std::map<Offset, Shown>> acknowledged_;
    std::map<Partition, std::vector<std::pair<Offset, std::uint64_t>>> newest_;
    std::set<std::string> refused_;
    std::set<std::string> shown_values_;
    std::map<std::tuple<NodeId, std::uint64_t, Partition>, Offset> high_watermarks_;
    std::map<std::tuple<NodeId, std::uint64_t, kafka::Uuid, std::int32_t>,
             std::pair<std::int32_t, std::int32_t>>
        epochs_;
};

} // namespace mini_broker::simulation
