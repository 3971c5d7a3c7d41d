// Every public input of the manager, legal or not: registration, names, assignments, published
// sets, progress, heartbeats, positions, waits, and views that say anything. What is refused
// changes nothing and is counted; what is taken in does to the reads what a small model says.

#include "fuzz/library/argument_faults.hpp"
#include "fuzz/library/drawn_arguments.hpp"
#include "fuzz/library/tracked.hpp"
#include "fuzz/support/input.hpp"
#include "fuzz/support/require.hpp"

#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>

#include <limits>
#include <memory>
#include <optional>

namespace {

using namespace fuzz;
using insync::Epoch;
using insync::Index;
using insync::IsrSet;
using insync::Millis;
using insync::PublishedIsr;
using insync::TimePoint;

class Host {
public:
    explicit Host(Input& input) : input_(input), isr_{kSelf, view_, some_config(), clock_} {}

    void step() {
        using Action = void (Host::*)();
        static constexpr Action kActions[] = {
            &Host::initialize, &Host::initialize, &Host::script,   &Host::script,
            &Host::observe,    &Host::pass_time,  &Host::progress, &Host::progress,
            &Host::positions,  &Host::publish,    &Host::publish,  &Host::await,
            &Host::heartbeat,  &Host::by_hand,    &Host::assign,   &Host::set_min_isr,
            &Host::remove,     &Host::reserve};
        (this->*kActions[input_.below(std::size(kActions))])();
        check_reads();
    }

    /// Every wait that was taken ends, each once.
    void end() {
        isr_.shut_down();
        require(ended_ == accepted_, "each wait that was accepted ends exactly once");
        const auto before = in_words(isr_);
        require(isr_.initialize_isr("after", 0, {kSelf}) == Result::shut_down,
                "nothing begins after a shut-down");
        require(in_words(isr_) == before, "and nothing changes");
    }

private:
    using View = insync::testing::ScriptedView;
    using Manager = insync::IsrManager<View, insync::testing::ManualClock>;

    insync::IsrConfig some_config() {
        insync::IsrConfig config;
        config.max_lag_ms = Millis{2 + input_.below(10'000)};
        config.check_interval_ms = config.max_lag_ms / 2;
        config.max_lag_entries = 1 + input_.below(50);
        config.min_insync_replicas = 1 + static_cast<int>(input_.below(4));
        config.max_waits = static_cast<std::uint32_t>(input_.below(4));
        if (input_.flag()) config.unknown_partition = insync::UnknownPartition::deny;
        return config;
    }
    Tracked* find(const Name& name) {
        const auto found = tracked_.find(name);
        return found == tracked_.end() ? nullptr : &found->second;
    }

    // What the host does --------------------------------------------------------------------------

    /// Calls, and holds the result against the promise that what is refused changes nothing.
    template <class Call>
    Result called(const Call& call) {
        const auto before = in_words(isr_);
        const insync::IsrCounters counted = isr_.counters();
        const Result result = call();
        if (result == Result::ok) return result;
        const insync::IsrCounters now = isr_.counters();
        if (result != Result::stale)
            require(now.rejected(result) == counted.rejected(result) + 1, "a refusal is counted");
        require(now.shrinks == counted.shrinks && now.expands == counted.expands,
                "what is refused moves no replica");
        const bool may_change = result == Result::not_leader || result == Result::epoch_conflict;
        require(may_change || in_words(isr_) == before, "what is refused changes nothing");
        return result;
    }

    void initialize() {
        const Name at = draw_.name();
        const Nodes replicas = draw_.nodes(insync::kMaxReplicas + 2);
        const std::set<NodeId> set(replicas.begin(), replicas.end());
        const bool inherits = input_.flag();
        std::optional<int> own_min;
        if (input_.flag()) own_min = draw_.min_isr();
        const PublishedIsr inherited = draw_.published();
        ArgumentFaults faults;
        faults.topic(at.first);
        faults.partition(at.second);
        faults.nodes(replicas, Result::empty_replicas);
        faults.add(own_min && *own_min < 1, Result::invalid_min_isr);
        if (inherits) faults.published(inherited, set);
        const int kept = std::min(own_min.value_or(0), 15);
        const Tracked* const known = find(at);
        const bool same = !known || (known->replicas == set && known->min_isr == kept);
        const Result result = called([&] {
            if (inherits)
                return isr_.initialize_isr(at.first, at.second, replicas, inherited, own_min);
            return own_min ? isr_.initialize_isr(at.first, at.second, replicas, *own_min)
                           : isr_.initialize_isr(at.first, at.second, replicas);
        });
        require(faults.allow(result, same ? Result::ok : Result::already_exists),
                "a registration is taken, or refused for what is wrong with it");
        if (result != Result::ok || known) return;
        Tracked& added = tracked_[at];
        added.replicas = set;
        added.min_isr = kept;
        added.handle = isr_.find(at.first, at.second);
    }
    void remove() {
        const Name at = draw_.name();
        const Result result = called([&] { return isr_.remove_partition(at.first, at.second); });
        const Tracked* const known = find(at);
        require(result == (known ? Result::ok : Result::unknown_partition),
                "what is tracked can be removed, and nothing else");
        if (!known) return;
        removed_ = known->handle;
        tracked_.erase(at);
    }
    void reserve() {
        const Name at = draw_.name();
        const std::uint64_t partitions =
            input_.one_of({std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{40}, kLargest});
        ArgumentFaults faults;
        faults.topic(at.first);
        faults.add(partitions < 1 || partitions > insync::kMaxPartition + 1,
                   Result::invalid_partition);
        const Result result = called([&] { return isr_.reserve(at.first, partitions); });
        require(faults.allow(result, Result::ok), "room is made for what can be");
    }
    void assign() {
        const Name at = draw_.name();
        const Nodes replicas = draw_.nodes(insync::kMaxReplicas + 2);
        Tracked* const known = find(at);
        ArgumentFaults faults;
        faults.nodes(replicas, Result::empty_replicas);
        faults.add(!known, Result::unknown_partition);
        faults.add(known && known->newest.second == insync::kMaxVersion, Result::epoch_exhausted);
        const Result result =
            called([&] { return isr_.set_assignment(at.first, at.second, replicas); });
        const std::set<NodeId> set(replicas.begin(), replicas.end());
        const bool same = known && known->replicas == set;
        require(faults.allow(result, Result::ok) || (same && result == Result::ok),
                "an assignment is taken, or refused for what is wrong with it");
        if (result == Result::ok) known->replicas = set;
    }
    void set_min_isr() {
        const Name at = draw_.name();
        const int wanted = draw_.min_isr();
        const bool whole_topic = input_.flag();
        bool found = false;
        for (const auto& [name, tracked] : tracked_)
            found = found || (name.first == at.first && (whole_topic || name == at));
        ArgumentFaults faults;
        faults.add(wanted < 1, Result::invalid_min_isr);
        faults.add(!found, Result::unknown_partition);
        const Result result = called([&] {
            return whole_topic ? isr_.set_min_insync_replicas(at.first, wanted)
                               : isr_.set_min_insync_replicas(at.first, at.second, wanted);
        });
        require(faults.allow(result, Result::ok), "min ISR is at least 1, of what is tracked");
        if (result != Result::ok) return;
        for (auto& [name, tracked] : tracked_)
            if (name.first == at.first && (whole_topic || name == at))
                tracked.min_isr = std::min(wanted, 15);
    }

    /// Scripts what the consensus says: sense, or anything.
    void script() {
        const Name at = draw_.name();
        auto& group = view_.group(at.first, at.second);
        const Index end = draw_.number(insync::kMaxIndex);
        switch (input_.below(4)) {
        case 0: group.lead(kSelf, 1 + draw_.number(insync::kMaxEpoch - 1), end); break;
        case 1: group.follow(draw_.node(), draw_.number(insync::kMaxEpoch)); break;
        case 2: group.edit([&](insync::GroupState& state) { scribble(state); }); break;
        default: group.reads_return(static_cast<insync::ReadResult>(input_.below(3)));
        }
        for (std::uint64_t more = input_.below(4); more > 0; --more) {
            if (group.state().followers.size() + 1 >= insync::kMaxReplicas) break;
            group.follower(draw_.node(), input_.flag() ? end : draw_.number(insync::kMaxIndex),
                           moment(), input_.flag());
        }
    }
    void scribble(insync::GroupState& state) {
        state.epoch = draw_.number(insync::kMaxEpoch);
        state.leader = draw_.node();
        state.leading = input_.flag();
        state.quorum = static_cast<insync::Quorum>(input_.below(3));
        state.end = draw_.number(insync::kMaxIndex);
        state.durable = draw_.number(insync::kMaxIndex);
        state.commit = draw_.number(insync::kMaxIndex);
        for (insync::FollowerRow& row : state.followers) {
            row.kind = static_cast<insync::ReplicaKind>(input_.below(4));
            row.node = draw_.node();
        }
    }
    TimePoint moment() {
        static constexpr TimePoint kEdges[] = {TimePoint::min(), TimePoint::max()};
        if (input_.below(8) == 7) return input_.one_of(kEdges);
        return clock_.now() - Millis{input_.below(1000)} + Millis{100};
    }
    /// A read that fails may change something all the same: ages go on rising (S7).
    void observe() {
        const Name at = draw_.name();
        const Result result = isr_.update_isr(at.first, at.second);
        require((result == Result::unknown_partition) == !find(at), "only what is tracked is read");
    }
    void pass_time() {
        const std::uint64_t kind = input_.below(8);
        if (kind == 7)
            clock_.set(TimePoint{Millis{input_.number<std::int64_t>() / 2}});
        else
            clock_.advance(Millis{input_.below(kind < 4 ? 256 : 1u << 20)});
        isr_.tick();
    }

    void progress() {
        const Name at = draw_.name();
        const insync::ProgressReport report{{},
                                            draw_.number(insync::kMaxEpoch),
                                            draw_.node(),
                                            draw_.number(insync::kMaxIndex),
                                            moment()};
        const auto before = isr_.get_isr(at.first, at.second);
        const auto words = in_words(isr_);
        const Result result = called([&] {
            return isr_.record_progress(at.first, at.second, report.epoch, report.node,
                                        report.match, report.contact);
        });
        check_fenced(at, before, report.epoch, result, words);
        if (result != Result::ok) return;
        const auto why = isr_.explain(at.first, at.second, report.node);
        require(why && why->match && *why->match >= report.match, "what is taken in is known");
    }
    void positions() {
        const Name at = draw_.name();
        const insync::LeaderPositions told{draw_.number(insync::kMaxIndex),
                                           draw_.number(insync::kMaxIndex),
                                           draw_.number(insync::kMaxIndex)};
        const Epoch epoch = draw_.number(insync::kMaxEpoch);
        const auto before = isr_.get_isr(at.first, at.second);
        const auto words = in_words(isr_);
        const Result result =
            called([&] { return isr_.record_leader(isr_.find(at.first, at.second), epoch, told); });
        check_fenced(at, before, epoch, result, words);
        const bool possible =
            told.end <= insync::kMaxIndex && told.durable <= told.end && told.commit <= told.end;
        require(result != Result::ok || possible, "positions beyond the end are refused");
    }
    /// What is told of an epoch is for the leader of that epoch alone.
    void check_fenced(const Name& at,
                      const std::optional<IsrSet>& before,
                      Epoch epoch,
                      Result result,
                      const std::map<Name, std::string>& words) {
        if (!before)
            return require(result == Result::unknown_partition, "an unknown partition is told");
        const bool fresh = before->own() && epoch > before->epoch();
        if (!before->own())
            require(result == Result::not_leader, "only a leader is told of progress");
        else if (epoch < before->epoch())
            require(result == Result::stale, "an older epoch is fenced");
        else if (fresh)
            require(result ==
                        (epoch > insync::kMaxEpoch ? Result::epoch_exhausted : Result::not_leader),
                    "a newer epoch is not this leader's");
        if (result != Result::not_leader) return;
        if (fresh)
            require(
                !isr_.get_isr(at.first, at.second)->own() && !isr_.has_min_isr(at.first, at.second),
                "the first sign of a newer epoch ends a leadership");
        else
            require(in_words(isr_) == words, "who does not lead is not changed");
    }

    void publish() {
        const Name at = draw_.name();
        PublishedIsr isr = draw_.published();
        const auto before = isr_.get_isr(at.first, at.second);
        if (before && input_.flag()) isr = PublishedIsr{*before};
        if (input_.flag()) isr.version += input_.below(3);
        const Tracked* const known = find(at);
        ArgumentFaults faults;
        faults.published(isr, known ? known->replicas : std::set<NodeId>{});
        const auto words = in_words(isr_);
        const Result result =
            called([&] { return isr_.apply_published_isr(at.first, at.second, isr); });
        if (!known)
            return require(result == Result::unknown_partition, "an unknown partition is told");
        if (!faults.none())
            return require(faults.allow(result, Result::ok), "a set that is none is refused");
        const std::pair theirs{isr.epoch, isr.version};
        const std::pair mine{before->epoch(), before->version()};
        const auto after = isr_.get_isr(at.first, at.second);
        if (theirs < mine) return require(result == Result::stale, "an older set is stale");
        if (result == Result::ok) return require(shows(*after, isr, *known), "it is shown");
        if (result == Result::epoch_exhausted) return; // a leader cannot number its own set higher
        require(result == Result::epoch_conflict, "a newer set is taken in, or is a conflict");
        if (theirs == mine) return require(in_words(isr_) == words, "the set that was there stays");
        require(before->own() && after->own() && before->to_vec() == after->to_vec() &&
                    after->version() > isr.version,
                "a leader numbers its own set above the other");
    }
    void await() {
        const Name at = draw_.name();
        const Index index = draw_.number(insync::kMaxIndex);
        const Epoch epoch = draw_.number(insync::kMaxEpoch);
        const std::size_t ended = ended_;
        const Result result = called([&] {
            return isr_.await_replication(at.first, at.second, epoch, index, moment(),
                                          [this](insync::WaitResult) { ++ended_; });
        });
        if (result == Result::ok)
            ++accepted_;
        else
            require(ended_ == ended, "a wait that is refused never calls back");
        require(isr_.get_isr_stats().waits <= isr_.config().max_waits, "waits are bounded");
    }
    void heartbeat() {
        const Name at = draw_.name();
        const NodeId from = draw_.node();
        const auto words = in_words(isr_);
        const Result result =
            called([&] { return isr_.update_heartbeat(at.first, at.second, from); });
        require(result == Result::ok || in_words(isr_) == words, "a stranger's changes nothing");
        require(result != Result::ok || find(at)->replicas.contains(from), "only a replica beats");
    }
    void by_hand() {
        const Name at = draw_.name();
        const NodeId moved = draw_.node();
        const bool add = input_.flag();
        const auto words = in_words(isr_);
        const Result result = called([&] {
            return add ? isr_.add_to_isr(at.first, at.second, moved)
                       : isr_.remove_from_isr(at.first, at.second, moved);
        });
        if (result != Result::ok)
            return require(in_words(isr_) == words, "what cannot be moved stays");
        require(isr_.is_in_sync(at.first, at.second, moved) == add, "it is where it was put");
    }

    // What must always hold -----------------------------------------------------------------------

    void check_reads() {
        std::size_t seen = 0;
        isr_.for_each_partition([&](const insync::PartitionReport& report) {
            ++seen;
            Tracked* const known = find({report.topic, report.partition});
            require(known != nullptr, "only what was registered is tracked");
            check_report(isr_, report, *known);
        });
        require(seen == tracked_.size(), "all that was registered is tracked");
        const Name strange = draw_.name();
        if (!find(strange)) {
            require(isr_.has_min_isr(strange.first, strange.second) ==
                        (isr_.config().unknown_partition == insync::UnknownPartition::allow),
                    "of an unknown partition the configuration decides");
            require(!isr_.get_isr(strange.first, strange.second), "and there is no set of it");
        }
        require(!removed_ && !isr_.has_min_isr(removed_), "a removed partition's handle is void");
    }
    Input& input_;
    DrawnArguments draw_{input_};
    insync::testing::ManualClock clock_;
    View view_;
    std::map<Name, Tracked> tracked_;
    insync::PartitionHandle removed_;
    std::size_t accepted_ = 0;
    std::size_t ended_ = 0;
    Manager isr_; // ends waits when it goes
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input{data, size};
    Host host{input};
    while (!input.empty()) host.step();
    host.end();
    return 0;
}
