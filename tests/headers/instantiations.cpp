// Templates speak only where they are used: here those of the public headers are, with types as a
// host would bring (managers.cpp has the managers). The helpers of the tests come from system
// directories: they are not meant.
#include <all_headers.hpp>
#include <conformance/simulated_subject.hpp>
#include <conformance/subjects.hpp>
#include <hosts/nuraft_cluster.hpp>

#include <cstdint>
#include <vector>

using insync::testing::ManualClock;
using insync::testing::ScriptedView;
using Manager = insync::IsrManager<ScriptedView, ManualClock>;

namespace libraft_like {

struct Server {
    unsigned long long id;
    int role;
};
struct Core {
    struct {
        Server* servers;
        unsigned n;
    } configuration;
    unsigned long long configuration_committed_index;
    unsigned long long configuration_uncommitted_index;
    unsigned long long last_stored;
    struct {
        unsigned long long match;
    } follower_state;
};
int raft_state(Core* core);
unsigned long long raft_current_term(const Core* core);
unsigned long long raft_last_index(Core* core);
unsigned long long raft_commit_index(const Core* core);
void raft_leader(Core* core, unsigned long long* id, const char** address);
int raft_match_index(const Core* core, unsigned long long id, unsigned long long* index);

struct Host {
    using Group = Core*;
    Group find_group(insync::TopicPartition partition);
    Core* core(Group group) noexcept;
    const insync::ContactLog& contacts(Group group) noexcept;
};

} // namespace libraft_like

struct RaftCLikeHost {
    using Group = int;
    Group find_group(insync::TopicPartition partition);
    insync_raft_group raft(Group group) noexcept;
    const insync::RaftContacts& contacts(Group group) noexcept;
};

// Each view that ships with the library.
template <class View>
insync::ReadResult read(View& view) {
    insync::GroupState state;
    const auto result = view.read(view.find_group({"t", 0}, {}), state);
    return view.contact_slack() > insync::Millis{0} ? result : insync::ReadResult::torn;
}
template insync::ReadResult read(insync::LibraftView<libraft_like::Host>&);
template insync::ReadResult read(insync::RaftCView<RaftCLikeHost>&);
template insync::ReadResult read(insync::SingleNodeView<>&);
template insync::ReadResult read(hosts::NuraftCluster::View&);
template insync::ReadResult read(insync_test::QueriedCluster::View&);

// The conformance kit, and the simulated cluster under it.
template <class Cluster>
bool passes() {
    return conforms(insync::testing::check_conformance([] { return Cluster{}; }));
}
template bool passes<insync_test::SimulatedSubject<true>>();

// The two places of a broker: codes as numbers and as an enumeration, epochs or none.
enum class Code : std::int16_t {};
template <class ErrorCode>
struct MetadataPartition {
    ErrorCode error_code;
    std::int32_t leader_id;
    std::int32_t leader_epoch;
    std::vector<std::int32_t> isr_nodes;
};
template <class ErrorCode>
struct ProducePartition {
    ErrorCode error_code;
    std::int64_t base_offset;
    std::int64_t log_append_time_ms;
    std::int64_t log_start_offset;
};

template <class ErrorCode>
ProducePartition<ErrorCode> serve(Manager& isr, MetadataPartition<ErrorCode>& metadata) {
    namespace kafka = insync::kafka;
    ProducePartition<ErrorCode> produce{};
    kafka::fill(metadata, kafka::describe(isr, "t", 0, 1));
    kafka::refuse(produce, kafka::admit_produce(isr, "t", 0, kafka::kAcksAll));
    kafka::refuse(produce, kafka::admit_produce(isr, isr.find("t", 0), 1));
    kafka::respond_when_replicated(isr, isr.find("t", 0), {1, 1, isr.clock().now()},
                                   [](kafka::ErrorCode) {});
    return produce;
}
template ProducePartition<std::int16_t> serve(Manager&, MetadataPartition<std::int16_t>&);
template ProducePartition<std::int32_t> serve(Manager&, MetadataPartition<std::int32_t>&);
template ProducePartition<Code> serve(Manager&, MetadataPartition<Code>&);
