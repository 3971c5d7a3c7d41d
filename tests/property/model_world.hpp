#pragma once

#include "property/naive_model.hpp"
#include "property/random.hpp"

#include <insync/isr_manager.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <deque>
#include <memory>
#include <string>

namespace property {

inline std::string to_text(const Reported& set) {
    return fmt::format("leader {} members {} of {} epoch {} version {}{}{}", set.leader,
                       set.members, set.replicas, set.epoch, set.version, set.own ? " own" : "",
                       set.stale ? " stale" : "");
}

/// A manager and a naive model of each of its partitions, fed the same and compared after each
/// step. What the consensus of each partition really is stands in `truth`; faults lie over it.
template <class View>
class World {
public:
    explicit World(std::uint64_t seed) : World(Random{seed}) {}
    explicit World(const Random& random)
        : random_(random), config_(make_config()), self_(kPool[random_.below(kPool.size())]) {
        always_pushed_ = View::pushes || random_.chance(10);
        reports_quorum_ = random_.chance(30);
        manager_ = std::make_unique<Manager>(self_, view_, config_, clock_);
        manager_->subscribe([this](const insync::IsrChange& change) { hear(change); });
        publishing_ = random_.chance(50);
        if (publishing_) manager_->publish_to(store_);
        last_sweep_ = next_sweep_ = latest_ = clock_.now();
        for (std::size_t i = 0; i < tracked_.size(); ++i) tracked_[i].topic = fmt::format("t{}", i);
    }

    /// Does one thing at random. \return whether all still agree; else `failure` tells
    bool step() {
        ++steps;
        Tracked& t = tracked_[random_.below(tracked_.size())];
        if (!t.model)
            initialize(t);
        else
            (this->*kActions[random_.below(kActions.size())])(t);
        for (Tracked& each : tracked_) compare(each);
        compare_stats();
        return failure.empty();
    }

    /// What it draws from.
    [[nodiscard]] const Random& random() const { return random_; }

    std::string failure;
    std::size_t steps = 0;
    std::size_t choices = 0;

private:
    using Manager = insync::IsrManager<View, insync::testing::ManualClock>;
    using Rows = decltype(insync::GroupState::followers);
    enum class Fault : std::uint8_t { none, torn, unavailable, old_epoch, inconsistent };

    struct Tracked {
        std::string topic;
        insync::PartitionHandle handle;
        std::unique_ptr<NaivePartition> model;
        insync::GroupState truth;
        Fault fault = Fault::none;
        Epoch highest = 0; ///< epochs that were given out
        Reported folded;   ///< what the events add up to
        std::vector<NaiveEvent> events;
        std::vector<std::pair<int, WaitResult>> ended;
        std::vector<insync::PublishedIsr> published; ///< in this step
        bool asked = false;                          ///< the view gave a good answer in this step
        bool failed = false;                         ///< the last sweep could not read it
        std::vector<insync::PartitionHandle> removed;
    };
    /// The host's metadata, as far as this node sends to it.
    struct Store {
        World& world;
        void publish(insync::TopicPartition name, const insync::PublishedIsr& isr) {
            for (Tracked& t : world.tracked_)
                if (t.topic == name.topic) t.published.push_back(isr);
        }
    };
    using Action = void (World::*)(Tracked&);

    static constexpr std::array<NodeId, 7> kPool{0, 1, 2, 3, 77, 1'000'000, 1LL << 62};
    static const std::array<Action, 51> kActions;

    insync::IsrConfig make_config() {
        insync::IsrConfig config;
        config.max_lag_ms = Millis{random_.one_of({800, 2000, 10'000})};
        config.check_interval_ms = config.max_lag_ms / random_.between(2, 10);
        config.max_lag_entries = random_.one_of({Index{5}, Index{100}, Index{10'000}, ~Index{0}});
        config.min_insync_replicas = static_cast<int>(random_.between(1, 4));
        config.quorum_contact_ms = Millis{random_.one_of({300, 1000, 3000})};
        if (random_.chance(20))
            config.damping.join_percent = static_cast<int>(random_.between(1, 99));
        if (random_.chance(50)) config.unknown_partition = insync::UnknownPartition::deny;
        return config;
    }

    template <class... Args>
    void note(fmt::format_string<Args...> format, Args&&... args) {
        trace_.push_back(fmt::format("{:7} ms  ", clock_.now().time_since_epoch().count()) +
                         fmt::format(format, std::forward<Args>(args)...));
        if (trace_.size() > 40) trace_.pop_front();
    }
    template <class A, class B>
    void expect(const Tracked& t, std::string_view what, const A& tracker, const B& model) {
        if (tracker == model || !failure.empty()) return;
        failure = fmt::format("step {}, {}: {}: the tracker says {}, the model {}\n{}\n{}\n", steps,
                              t.topic, what, say(tracker), say(model), fmt::join(trace_, "\n"),
                              say(t.truth));
        failure +=
            fmt::format("limits {} ms, {} entries, sweeps each {} ms", config_.max_lag_ms.count(),
                        config_.max_lag_entries, config_.check_interval_ms.count());
    }
    static std::string say(const insync::GroupState& truth) {
        std::string text =
            fmt::format("truth: epoch {}, leader {}, end {} durable {} commit {}", truth.epoch,
                        truth.leader, truth.end, truth.durable, truth.commit);
        for (const insync::FollowerRow& row : truth.followers)
            text += fmt::format("; {}{} {} {} {} ms", row.node,
                                row.kind == insync::ReplicaKind::voter ? "" : " no voter",
                                row.verified ? "holds" : "unverified", row.match,
                                row.contact.time_since_epoch().count());
        return text;
    }
    static std::string say(const Reported& set) { return to_text(set); }
    static std::string say(Result result) { return std::string{to_string(result)}; }
    static std::string say(const std::optional<Index>& x) {
        return x ? std::to_string(*x) : "none";
    }
    static std::string say(const std::vector<std::pair<int, WaitResult>>& ended) {
        std::string text;
        for (const auto& [id, result] : ended)
            text += fmt::format("{} {}; ", id, to_string(result));
        return text;
    }
    template <class T>
    static std::string say(const T& value) {
        return fmt::format("{}", value);
    }

    void hear(const insync::IsrChange& change);
    void compare(Tracked& t); // model_compare.hpp
    void compare_published(Tracked& t);
    void compare_stats();

    // Time and sweeps: what the manager is known to do by its interface ---------------------------

    TimePoint seen() { return latest_ = std::max(latest_, clock_.now()); }
    [[nodiscard]] Millis interval() const { return config_.check_interval_ms; }

    NaivePartition::Moment moment(const Tracked& t, bool may_evict, TimePoint last, bool paused) {
        const auto set = manager_->get_isr(t.topic, 0);
        return {seen(),
                may_evict,
                last,
                paused,
                insync::VersionedView<View>,
                set ? Reported{*set} : Reported{},
                manager_->has_min_isr(t.topic, 0),
                dead_};
    }
    Result observe(Tracked& t, bool may_evict, TimePoint last, bool paused) {
        auto& group = view_.group(t.topic, 0);
        const auto read = t.fault == Fault::torn          ? insync::ReadResult::torn
                          : t.fault == Fault::unavailable ? insync::ReadResult::unavailable
                                                          : insync::ReadResult::ok;
        const Result result =
            t.model->observe(read, group.state(), moment(t, may_evict, last, paused));
        t.asked = result == Result::ok;
        return result;
    }
    void tick(Tracked&) {
        const TimePoint now = seen();
        manager_->tick();
        for (Tracked& t : tracked_)
            if (t.model) t.model->expire_waits(now);
        if (now < next_sweep_) return retry(now);
        const bool late = insync::saturating_age(now, last_sweep_) > 2 * interval();
        const bool may_evict = !late || stalled_;
        stalled_ = !may_evict;
        note("sweep{}", stalled_ ? ", stalled" : "");
        const TimePoint last = std::exchange(last_sweep_, now);
        next_sweep_ = now + interval();
        swept_ = true;
        for (Tracked& t : tracked_)
            if (t.model) t.failed = is_failed(observe(t, may_evict, last, late));
        schedule_retry(now);
    }
    /// S2: reads that fail are repeated eight times an interval.
    void retry(TimePoint now) {
        if (now < next_retry_) return;
        note("retry");
        for (Tracked& t : tracked_)
            if (t.model && t.failed)
                t.failed = is_failed(observe(t, !stalled_, last_sweep_, false));
        schedule_retry(now);
    }
    void schedule_retry(TimePoint now) {
        const bool any = std::any_of(tracked_.begin(), tracked_.end(),
                                     [](const Tracked& t) { return t.model && t.failed; });
        next_retry_ = any ? now + std::max(interval() / 8, Millis{1}) : TimePoint::max();
    }
    static bool is_failed(Result result) {
        return result == Result::torn || result == Result::unavailable;
    }
    void update_isr(Tracked& t) {
        note("{} update_isr", t.topic);
        const bool overdue = insync::saturating_age(seen(), last_sweep_) > 2 * interval();
        const Result result = manager_->update_isr(t.topic, 0);
        const bool may_evict = !swept_ || (!overdue && !stalled_);
        expect(t, "update_isr", result, observe(t, may_evict, last_sweep_, !swept_ || overdue));
    }
    void pass_time(Tracked& t) {
        const Millis lag = config_.max_lag_ms;
        const Millis spans[] = {Millis{1},
                                interval(),
                                interval(),
                                interval(),
                                Millis{random_.between(0, interval().count())},
                                interval() / 8,
                                lag / 8,
                                2 * interval(),
                                2 * interval() + Millis{1},
                                config_.quorum_contact_ms,
                                lag,
                                lag + Millis{1}};
        clock_.advance(spans[random_.below(std::size(spans))]);
        if (random_.chance(90)) tick(t);
    }
    void break_clock(Tracked& t) {
        if (random_.chance(50)) {
            clock_.set(clock_.now() - Millis{random_.between(1, 20'000)});
        } else {
            clock_.advance(Millis{random_.between(1, 5 * 86'400'000LL)});
            tick(t);
        }
        note("clock stepped");
    }

    // Registration --------------------------------------------------------------------------------

    std::vector<NodeId> some_nodes(bool with_self) {
        std::vector<NodeId> nodes;
        if (with_self) nodes.push_back(self_);
        const std::size_t wanted = 1 + random_.below(5);
        while (nodes.size() < wanted) {
            const NodeId node = kPool[random_.below(kPool.size())];
            if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.push_back(node);
        }
        return nodes;
    }
    insync::PublishedIsr some_set(const std::vector<NodeId>& replicas, Epoch epoch, Index version) {
        insync::PublishedIsr isr{insync::kNoNode, epoch, version, {}};
        for (const NodeId node : replicas)
            if (random_.chance(70)) isr.members.push_back(node);
        if (isr.members.empty()) isr.members.push_back(replicas.front());
        if (random_.chance(90)) isr.leader = isr.members[random_.below(isr.members.size())];
        return isr;
    }
    void initialize(Tracked& t) {
        const std::vector<NodeId> nodes = some_nodes(random_.chance(95));
        std::optional<int> min_isr;
        if (random_.chance(50)) min_isr = static_cast<int>(random_.between(1, 4));
        const auto inherited = some_set(nodes, random_.below(t.highest + 1), random_.below(5));
        const bool inherits = random_.chance(50);
        note("{} initialize {} min {}{}", t.topic, nodes, min_isr.value_or(0),
             inherits ? fmt::format(" inherits {} e{} v{}", inherited.members, inherited.epoch,
                                    inherited.version)
                      : "");
        (void)seen();
        const std::set<NodeId> set{nodes.begin(), nodes.end()};
        t.model = std::make_unique<NaivePartition>(self_, config_, set, min_isr,
                                                   inherits ? &inherited : nullptr, dead_);
        t.folded = t.model->shown;
        const Result result = inherits
                                  ? manager_->initialize_isr(t.topic, 0, nodes, inherited, min_isr)
                              : min_isr ? manager_->initialize_isr(t.topic, 0, nodes, *min_isr)
                                        : manager_->initialize_isr(t.topic, 0, nodes);
        expect(t, "initialize_isr", result, Result::ok);
        t.handle = manager_->find(t.topic, 0);
        (void)observe(t, true, latest_, true);
    }
    void remove(Tracked& t) {
        if (!random_.chance(20)) return;
        note("{} remove", t.topic);
        expect(t, "remove_partition", manager_->remove_partition(t.topic, 0), Result::ok);
        t.model->end_waits(WaitResult::not_leader);
        std::sort(t.ended.begin(), t.ended.end());
        std::sort(t.model->ended.begin(), t.model->ended.end());
        expect(t, "waits at removal", t.ended, t.model->ended);
        t.ended.clear();
        t.model.reset();
        t.failed = false;
        if (t.removed.size() < 5) t.removed.push_back(t.handle);
    }
    void reassign(Tracked& t) {
        const std::vector<NodeId> nodes = some_nodes(random_.chance(90));
        note("{} assignment {}", t.topic, nodes);
        (void)seen();
        const Result result = manager_->set_assignment(t.topic, 0, nodes);
        expect(t, "set_assignment", result, t.model->set_assignment({nodes.begin(), nodes.end()}));
        // The consensus follows sooner or later; here it is at once or at the next election.
        if (random_.chance(70)) {
            auto& rows = t.truth.followers;
            const auto gone = [&](const insync::FollowerRow& row) {
                return std::find(nodes.begin(), nodes.end(), row.node) == nodes.end();
            };
            rows.erase(std::remove_if(rows.begin(), rows.end(), gone), rows.end());
            if (t.truth.leading) add_rows(t);
            show(t);
            push_news(t);
        }
    }

    // Actions continued: model_actions.hpp --------------------------------------------------------

    void show(Tracked& t);
    void push_news(Tracked& t);
    void push_positions(Tracked& t, Epoch epoch, const insync::LeaderPositions& positions);
    void push_row(Tracked& t, Epoch epoch, const insync::FollowerRow& row);
    void add_rows(Tracked& t);
    void elect_self(Tracked& t);
    void elect_other(Tracked& t);
    void append(Tracked& t);
    void acknowledge(Tracked& t);
    void beat(Tracked& t);
    void push_nonsense(Tracked& t);
    void change_kind(Tracked& t);
    void change_quorum(Tracked& t);
    void break_view(Tracked& t);
    void mend_view(Tracked& t);
    void set_min_isr(Tracked& t);
    void move_by_hand(Tracked& t);
    void publish(Tracked& t);
    void await(Tracked& t);
    void lose_member(Tracked& t);
    void register_anew(Tracked& t);
    void die(Tracked& t);
    [[nodiscard]] bool pushed() { return always_pushed_ || random_.chance(30); }

    Random random_;
    insync::IsrConfig config_;
    NodeId self_;
    bool always_pushed_ = false;
    bool reports_quorum_ = false;
    bool publishing_ = false;
    insync::testing::ManualClock clock_;
    View view_;
    std::array<Tracked, 3> tracked_;
    Store store_{*this};
    std::unique_ptr<Manager> manager_;
    std::deque<std::string> trace_;
    TimePoint latest_;
    TimePoint last_sweep_;
    TimePoint next_sweep_;
    TimePoint next_retry_ = TimePoint::max();
    bool stalled_ = false;
    bool swept_ = false;
    int last_wait_ = 0;
    std::set<NodeId> dead_; // as the host was told
};

} // namespace property

#include "property/model_actions.hpp"
#include "property/model_compare.hpp"
