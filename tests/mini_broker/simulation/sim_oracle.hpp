#pragma once

#include "raft/raft_group.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mini_broker::simulation {

/// A promise of Raft that was broken.
struct Broken : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// What all nodes together know of one group, and what must be true of it at every step.
class GroupOracle {
public:
    struct Committed {
        Term term = 0;
        Offset next_offset = 0;
        std::string batch;
    };

    void proposed(const RaftGroup::Proposed& at, std::string batch) {
        proposals_[{at.index, at.term}] = std::move(batch);
    }

    /// A node was told that an entry is committed.
    void committed(NodeId node, const RaftGroup& group, const Entry& entry) {
        std::string batch;
        group.log().read_entries(entry.index, entry.index, batch);
        const auto known = committed_.find(entry.index);
        if (known == committed_.end()) {
            const auto proposal = proposals_.find({entry.index, entry.term});
            if (proposal != proposals_.end()) {
                ++acknowledged_;
                // Position and term are the broker's to set; from there on it is the client's.
                if (proposal->second.substr(16) != batch.substr(16))
                    fail("node {}: entry {} is not what was proposed", node, entry.index);
            }
            committed_.emplace(entry.index, Committed{entry.term, entry.next_offset, batch});
        } else if (known->second.batch != batch || known->second.term != entry.term) {
            fail("node {}: entry {} was committed with other content", node, entry.index);
        }
    }

    void leads(NodeId node, const RaftGroup& group) {
        const auto [at, is_new] = leaders_.try_emplace(group.term(), node);
        if (at->second != node)
            fail("nodes {} and {} lead term {}", node, at->second, group.term());
        if (is_new) elected_with_[group.term()] = last_committed();
        if (group.caught_up_with_its_term() && group.commit_index() < elected_with_[group.term()])
            fail("node {} has caught up, but knows less to be committed", node);
    }

    /// Called once for each leadership.
    void holds_all_committed(NodeId node, const RaftGroup& group) const {
        const PartitionLog& log = group.log();
        if (log.last_index() < last_committed())
            fail("leader {} ends at {}, committed is {}", node, log.last_index(), last_committed());
        std::string ours;
        for (auto at = committed_.lower_bound(log.first_index()); at != committed_.end(); ++at) {
            ours.clear();
            log.read_entries(at->first, at->first, ours);
            if (ours != at->second.batch) fail("leader {} has another entry {}", node, at->first);
        }
    }

    void high_watermark(NodeId node, Offset offset) const {
        const Offset most = committed_.empty() ? 0 : committed_.rbegin()->second.next_offset;
        if (offset > most)
            fail("node {}: high watermark {}, committed only up to {}", node, offset, most);
    }

    [[nodiscard]] Index last_committed() const {
        return committed_.empty() ? 0 : committed_.rbegin()->first;
    }
    [[nodiscard]] std::size_t acknowledged() const noexcept { return acknowledged_; }
    [[nodiscard]] std::size_t leaderships() const noexcept { return leaders_.size(); }

    template <class... Args>
    [[noreturn]] static void fail(fmt::format_string<Args...> format, Args&&... args) {
        throw Broken(fmt::format(format, std::forward<Args>(args)...));
    }

private:
    std::map<Index, Committed> committed_;
    std::map<std::pair<Index, Term>, std::string> proposals_;
    std::map<Term, NodeId> leaders_;
    std::map<Term, Index> elected_with_;
    std::size_t acknowledged_ = 0;
};

/// What each run must have come upon somewhere, lest the checks be empty.
class Marks {
public:
    void reach(const std::string& what) { ++counts_[what]; }
    [[nodiscard]] std::uint64_t count(const std::string& what) const {
        const auto found = counts_.find(what);
        return found == counts_.end() ? 0 : found->second;
    }

    [[nodiscard]] std::string text() const {
        std::string text;
        for (const auto& [mark, count] : counts_) text += fmt::format("{}: {}\n", mark, count);
        return text;
    }

private:
    std::map<std::string, std::uint64_t> counts_;
};

} // namespace mini_broker::simulation
