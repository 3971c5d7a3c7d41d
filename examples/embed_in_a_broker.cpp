// The two places where a Kafka-like broker meets this library, before and after: what Metadata says
// of a partition, and whether a Produce is accepted. The broker is a stub around them, with field
// names as in Kafka's protocol.
#include <insync/insync.hpp>
#include <insync/kafka/metadata.hpp>
#include <insync/kafka/produce.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using insync::kafka::ErrorCode;
using insync::testing::ManualClock;
using insync::testing::ScriptedView;

namespace broker {

struct MetadataPartition {
    std::int16_t error_code = 0;
    std::int32_t partition_index = 0;
    std::int32_t leader_id = -1;
    std::int32_t leader_epoch = -1;
    std::vector<std::int32_t> replica_nodes;
    std::vector<std::int32_t> isr_nodes;
};
struct ProducePartition {
    std::int16_t error_code = 0;
    std::int64_t base_offset = -1;
    std::int64_t log_append_time_ms = -1;
    std::int64_t log_start_offset = -1;
};
using Respond = std::function<void(const ProducePartition&)>;
using Isr = insync::IsrManager<ScriptedView, ManualClock>;

class Broker {
public:
    Broker(Isr& isr, ScriptedView& raft, ManualClock clock)
        : isr_(isr), raft_(raft), clock_(std::move(clock)) {}

    MetadataPartition metadata(const std::string& topic, std::int32_t partition) const {
        MetadataPartition out;
        out.partition_index = partition;
        out.replica_nodes = {1, 2, 3};
        // Before: what was assigned, whoever of them is alive.
        //     out.leader_id = 1;
        //     out.isr_nodes = out.replica_nodes;
        // After:
        insync::kafka::fill(out, insync::kafka::describe(isr_, topic, partition, isr_.self()));
        return out;
    }

    void produce(const std::string& topic,
                 std::int32_t partition,
                 std::int16_t acks,
                 const Respond& respond) {
        ProducePartition out;
        // Before: append, and answer when the quorum has committed.
        //     out.base_offset = append(topic, partition);
        //     respond(out);
        // After: ask first ...
        const ErrorCode refused = insync::kafka::admit_produce(isr_, topic, partition, acks);
        if (refused != ErrorCode::none) {
            insync::kafka::refuse(out, refused);
            return respond(out);
        }
        const insync::Index index = append(topic, partition);
        out.base_offset = static_cast<std::int64_t>(index) - 1; // indexes begin at 1, offsets at 0
        if (acks != insync::kafka::kAcksAll) return respond(out);
        // ... and answer when every in-sync replica has it, or cannot have it any more.
        insync::kafka::respond_when_replicated(isr_, isr_.find(topic, partition),
                                               {kEpoch, index, clock_.now() + 30s},
                                               [out, respond](ErrorCode code) mutable {
                                                   if (code == ErrorCode::none)
                                                       out.error_code = 0;
                                                   else
                                                       insync::kafka::refuse(out, code);
                                                   respond(out);
                                               });
    }

private:
    static constexpr insync::Epoch kEpoch = 1; // really: the term in which it was appended

    /// Stands for proposing to Raft: the leader has it at once, the followers when they say so.
    insync::Index append(const std::string& topic, std::int32_t partition) {
        const insync::Index index = raft_.group(topic, partition).state().end + 1;
        raft_.group(topic, partition).positions({index, index, index});
        return index;
    }

    Isr& isr_;
    ScriptedView& raft_;
    ManualClock clock_;
};

} // namespace broker

int main() {
    ManualClock clock;
    ScriptedView raft;
    raft.lead("test", 0, 1, 1, 0);
    broker::Isr isr{1, raft, insync::IsrConfig{}, clock};
    broker::Broker broker{isr, raft, clock};
    if (isr.initialize_isr("test", 0, {1, 2, 3}) != insync::Result::ok) return 1;

    std::vector<std::int64_t> answers;
    const auto produce = [&](std::int16_t acks) {
        broker.produce("test", 0, acks, [&, acks](const broker::ProducePartition& out) {
            fmt::print("  produce, acks={}: error {}, base_offset {}\n", acks, out.error_code,
                       out.base_offset);
            answers.push_back(out.error_code != 0 ? -out.error_code : out.base_offset);
        });
    };
    std::vector<std::vector<std::int32_t>> shown;
    const auto run = [&](const char* what, int seconds, const std::vector<insync::NodeId>& alive) {
        for (int second = 0; second < seconds; ++second) {
            clock.advance(1s);
            for (const insync::NodeId node : alive)
                raft.follower("test", 0, node, raft.group("test", 0).state().end, clock.now());
            isr.tick();
        }
        const auto metadata = broker.metadata("test", 0);
        fmt::print("{}: leader {}, Isr: {}\n", what, metadata.leader_id,
                   fmt::join(metadata.isr_nodes, ","));
        shown.push_back(metadata.isr_nodes);
    };

    run("all nodes are up", 2, {2, 3});
    produce(-1); // answered at the next tick, by which the followers have it
    run("the record is replicated", 1, {2, 3});
    run("node 3 is down", 12, {2});
    produce(-1);
    run("the record is replicated", 1, {2});
    produce(-1); // and nobody is there any more to replicate this one
    run("node 2 is down, too", 12, {});
    produce(-1);
    produce(1);
    run("both are back", 2, {2, 3});
    produce(-1);
    run("the record is replicated", 1, {2, 3});

    using Nodes = std::vector<std::int32_t>;
    const bool right_answers = answers == std::vector<std::int64_t>{0, 1, -20, -20, 3, 4};
    const bool right_isrs = shown == std::vector<Nodes>{{1, 2, 3}, {1, 2, 3}, {1, 2},   {1, 2},
                                                        {1},       {1, 2, 3}, {1, 2, 3}};
    return right_answers && right_isrs ? 0 : 1;
}
