#include "property/random.hpp"

#include <insync/isr_manager.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace insync;
using namespace insync::testing;
using property::Random;

std::string text_of(const IsrSet& set, bool has_min, std::optional<Index> high_watermark) {
    return fmt::format("leader {} members {} of {} epoch {}{}{} min {} hw {}", set.leader(),
                       set.to_vec(), set.replica_count(), set.epoch(), set.own() ? " own" : "",
                       set.stale() ? " stale" : "", has_min,
                       high_watermark ? fmt::format("{}", *high_watermark) : "none");
}

/// Two managers of one node: one reads its view at every sweep, one lives on pushes that get lost,
/// doubled, and late. Everything else they are told is the same.
class Pair {
public:
    explicit Pair(std::uint64_t seed) : random_(seed) {
        config_.max_lag_ms = Millis{random_.one_of({500, 2000, 10'000})};
        config_.check_interval_ms = config_.max_lag_ms / random_.between(2, 10);
        config_.max_lag_entries = random_.one_of({Index{20}, Index{10'000}});
        config_.min_insync_replicas = static_cast<int>(random_.between(1, 3));
        config_.quorum_contact_ms = Millis{random_.one_of({400, 3000})};
        replicas_ = {1, 2, 3};
        if (random_.chance(40)) replicas_.insert(replicas_.end(), {4, 5});
        read_ = std::make_unique<Manager<ScriptedView>>(1, read_view_, config_, clock_);
        told_ = std::make_unique<Manager<PushingScriptedView>>(1, told_view_, config_, clock_);
        told_->subscribe([this](const IsrChange& change) { hear(change); });
        both([&](auto& isr) { return isr.initialize_isr("t", 0, replicas_); });
        handle_ = told_->find("t", 0);
    }

    /// Steps of chaos, then as long without faults as the rules say is enough.
    /// \return what went wrong, if anything did
    std::string run(int steps) {
        for (int i = 0; i < steps && fault_.empty(); ++i) step();
        heal();
        if (!fault_.empty()) return fault_;
        const std::string read = text(*read_);
        const std::string told = text(*told_);
        if (read != told) return "read: " + read + "\ntold: " + told;
        // The rules say where it must end.
        const IsrSet set = told_->get_isr("t", 0).value();
        if (truth_.leading && set.size() != replicas_.size()) return "somebody is out: " + told;
        if (truth_.leading && told_->high_watermark("t", 0) != truth_.end) return "behind: " + told;
        for (const auto& [wait, ends] : ends_)
            if (ends > 1) return fmt::format("wait {} ended {} times", wait, ends);
        return {};
    }
    /// After shut-down every wait that was accepted has ended, exactly once.
    std::string shut_down() {
        told_->shut_down();
        for (const auto& [wait, ends] : ends_)
            if (ends != 1) return fmt::format("wait {} ended {} times", wait, ends);
        return {};
    }

private:
    template <class View>
    using Manager = IsrManager<View, ManualClock>;

    template <class View>
    static std::string text(const Manager<View>& isr) {
        return text_of(isr.get_isr("t", 0).value(), isr.has_min_isr("t", 0),
                       isr.high_watermark("t", 0));
    }
    template <class Call>
    void both(const Call& call) {
        (void)call(*read_);
        (void)call(*told_);
    }
    void show() {
        const auto exchange = [&](GroupState& state) { state = truth_; };
        read_view_.group("t", 0).edit(exchange);
        told_view_.group("t", 0).edit(exchange);
    }

    /// The channel that loses, doubles and delays.
    void push(std::function<void()> what) {
        const auto luck = random_.below(100);
        if (luck < 30) return;
        if (luck < 60) {
            late_.push_back(std::move(what));
            return;
        }
        what();
        if (luck < 70) what();
    }
    void push_late() {
        if (late_.empty()) return;
        const std::size_t at = random_.below(late_.size());
        late_[at]();
        if (random_.chance(70)) late_.erase(late_.begin() + static_cast<std::ptrdiff_t>(at));
    }
    void push_row(const FollowerRow& row) {
        const Epoch epoch = truth_.epoch;
        push([this, epoch, row] {
            (void)told_->record_progress(handle_, epoch, row.node, row.match, row.contact);
        });
    }
    void push_news() {
        push([this] { told_->notify(handle_); });
    }

    void hear(const IsrChange& change) {
        const auto order = [](const IsrSet& set) { return std::pair{set.epoch(), set.version()}; };
        if (heard_ && !(change.before == *heard_)) fault_ = "an event does not follow the last";
        if (heard_ && order(change.after) <= order(*heard_) && change.after.own())
            fault_ = "versions do not rise";
        if (change.after.own() && !change.after.contains(1))
            fault_ = "the leader is not in its ISR";
        heard_ = change.after;
    }

    void elect(bool self) {
        ++truth_.epoch;
        truth_.leading = self;
        truth_.leader = self ? 1 : random_.chance(50) ? 2 : kNoNode;
        truth_.followers.clear();
        if (self) truth_.durable = ++truth_.end;
        for (const NodeId node : replicas_)
            if (self && node != 1) truth_.followers.push_back({.node = node});
        show();
        push_news();
    }
    void append() {
        if (!truth_.leading) return;
        truth_.end += random_.below(30);
        truth_.durable = truth_.commit = truth_.end;
        show();
        push([this, epoch = truth_.epoch, end = truth_.end] {
            (void)told_->record_leader(handle_, epoch, {end, end, end});
        });
    }
    void answer(Index match) {
        if (truth_.followers.empty()) return;
        FollowerRow& row = truth_.followers[random_.below(truth_.followers.size())];
        row.match = std::max(row.match, match);
        row.verified = true;
        row.contact = clock_.now();
        show();
        push_row(row);
    }
    void await() {
        const Index index = random_.below(truth_.end + 5);
        const TimePoint deadline = clock_.now() + Millis{random_.between(0, 5000)};
        const int id = ++last_wait_;
        if (told_->await_replication(handle_, truth_.epoch, index, deadline,
                                     [this, id](WaitResult) { ++ends_[id]; }) == Result::ok)
            ends_[id] += 0;
    }
    void publish() {
        PublishedIsr isr{2, truth_.epoch + random_.below(2), random_.below(20), {2}};
        if (isr.epoch > truth_.epoch) elect(false);
        for (const NodeId node : replicas_)
            if (node != 2 && random_.chance(70)) isr.members.push_back(node);
        if (!truth_.leading)
            both([&](auto& isr_of) { return isr_of.apply_published_isr("t", 0, isr); });
    }
    void step() {
        switch (random_.below(20)) {
        case 0: return elect(random_.chance(70));
        case 1: return publish();
        case 2: {
            const int min_isr = static_cast<int>(random_.between(1, 4));
            return both([&](auto& isr) { return isr.set_min_insync_replicas("t", 0, min_isr); });
        }
        case 3: {
            const NodeId node = replicas_[random_.below(replicas_.size())];
            return both([&](auto& isr) { return isr.remove_from_isr("t", 0, node); });
        }
        case 4:
        case 5: return await();
        case 6:
        case 7: return push_late();
        case 8:
        case 9:
        case 10: return append();
        case 11:
        case 12:
        case 13: return answer(truth_.end);
        case 14: return answer(random_.below(truth_.end + 1));
        default: return pass(Millis{random_.between(1, 2 * config_.check_interval_ms.count())});
        }
    }
    void pass(Millis by) {
        clock_.advance(by);
        both([](auto& isr) {
            isr.tick();
            return Result::ok;
        });
    }

    /// All is well from now on, and nobody tells so. Lost pushes are made good when their effect is
    /// about to expire, at most `max_lag_ms` later; a hold by hand ends as late.
    void heal() {
        while (!late_.empty()) push_late();
        elect(random_.chance(70));
        if (!truth_.leading) {
            truth_.leader = 2;
            show();
            const PublishedIsr isr{2, truth_.epoch, 100, {1, 2}};
            both([&](auto& isr_of) { return isr_of.apply_published_isr("t", 0, isr); });
        }
        const TimePoint enough = clock_.now() + 3 * config_.max_lag_ms;
        while (clock_.now() < enough) {
            truth_.commit = truth_.end;
            for (FollowerRow& row : truth_.followers) {
                row.match = truth_.end;
                row.verified = true;
                row.contact = clock_.now() + config_.check_interval_ms;
            }
            show();
            pass(config_.check_interval_ms);
        }
    }

    Random random_;
    IsrConfig config_;
    std::vector<NodeId> replicas_;
    ManualClock clock_;
    ScriptedView read_view_;
    PushingScriptedView told_view_;
    std::unique_ptr<Manager<ScriptedView>> read_;
    std::unique_ptr<Manager<PushingScriptedView>> told_;
    PartitionHandle handle_;
    GroupState truth_;
    std::vector<std::function<void()>> late_;
    std::optional<IsrSet> heard_;
    std::map<int, int> ends_;
    std::string fault_;
    int last_wait_ = 0;
};

TEST_CASE("lost, doubled and late pushes do not change where it ends", "[push]") {
    const std::uint64_t replayed = property::from_environment("INSYNC_SEED", 0);
    const std::uint64_t first = replayed != 0 ? replayed : 1;
    const std::uint64_t worlds =
        replayed != 0 ? 1 : property::from_environment("INSYNC_WORLDS", 100);
    fmt::print("push: seeds {} to {}\n", first, first + worlds - 1);
    for (std::uint64_t seed = first; seed < first + worlds; ++seed) {
        Pair pair{seed};
        for (int round = 0; round < 3; ++round) {
            INFO("replay with INSYNC_SEED=" << seed << ", round " << round);
            REQUIRE(pair.run(300) == "");
        }
        REQUIRE(pair.shut_down() == "");
    }
}

} // namespace
