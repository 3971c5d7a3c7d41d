#pragma once

// A broker's side of NuRaft: a group for each partition, and the options that a server is made
// with. It compiles with NuRaft's own headers, and in the tests with those of a double.

#include <insync/adapters/nuraft.hpp>
#include <insync/clock.hpp>
#include <insync/types.hpp>

#include <libnuraft/nuraft.hxx>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace hosts {

using NuraftGroup = insync::NuraftGroup<nuraft::raft_server, nuraft::req_msg, nuraft::resp_msg>;

/// The partitions that a broker runs on NuRaft. It keeps the host's side of `insync::NuraftView`.
///
/// The order for a partition: `options`, the server, `started`, the manager's `initialize_isr`; and
/// at its end the manager's `remove_partition`, `stopping`, the server's `shutdown`.
template <insync::Clock Clock>
class NuraftHost {
public:
    /// \param clock   the manager's; must outlive the host
    /// \param joined  called when the server of a partition has joined a cluster, with NuRaft's
    ///                lock held: hand it to another thread, which calls `register_anew` of the
    ///                manager, since the term may have fallen
    NuraftHost(const Clock& clock, std::function<void(insync::TopicPartition)> joined)
        : clock_(clock), joined_(std::move(joined)) {}

    /// For the partition's server, which calls back from the moment that it is being made.
    nuraft::raft_server::init_options options(std::string topic, insync::PartitionId partition) {
        const auto [place, added] = groups_.try_emplace({std::move(topic), partition}, nullptr);
        if (added) place->second = std::make_unique<NuraftGroup>();
        nuraft::raft_server::init_options options;
        options.raft_callback_ = [this, &name = place->first, &group = *place->second](
                                     nuraft::cb_func::Type type, nuraft::cb_func::Param* param) {
            group.note(type, param, clock_.now());
            if (type == nuraft::cb_func::JoinedCluster && joined_)
                joined_({name.first, name.second});
            return nuraft::cb_func::Ok;
        };
        return options;
    }
    /// With what `raft_launcher::init`, or the constructor, gave.
    void started(insync::TopicPartition partition, nuraft::ptr<nuraft::raft_server> server) {
        if (NuraftGroup* const group = find_group(partition)) group->open(std::move(server));
    }
    void stopping(insync::TopicPartition partition) {
        if (NuraftGroup* const group = find_group(partition)) group->close();
    }

    /// What `insync::NuraftView` asks for.
    NuraftGroup* find_group(insync::TopicPartition partition) {
        const auto found = groups_.find({std::string{partition.topic}, partition.partition});
        return found == groups_.end() ? nullptr : found->second.get();
    }

private:
    using Name = std::pair<std::string, insync::PartitionId>;

    const Clock& clock_;
    std::function<void(insync::TopicPartition)> joined_;
    std::map<Name, std::unique_ptr<NuraftGroup>> groups_; // kept: views hold pointers into it
};

} // namespace hosts
