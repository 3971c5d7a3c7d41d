// Whole clusters of brokers in virtual time, with clients, on disks and links that fail. Each world
// is drawn from one seed: INSYNC_SEED replays one (INSYNC_VERBOSE=1 shows what the nodes say),
// INSYNC_WORLDS says how many there are.

#include "mini_broker/simulation/sim_story.hpp"
#include "mini_broker/simulation/sim_trouble.hpp"
#include "property/random.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace mini_broker;
using namespace mini_broker::simulation;
using mini_broker::kafka::Error;

namespace {

constexpr std::uint64_t kWorlds = 300;
constexpr Millis kTrouble{10'000};
constexpr Millis kPatience{30'000};
constexpr Millis kAsked{4000};

/// One record at a time, sent again until it is acknowledged.
struct Idempotent {
    std::int64_t id = -1;
    std::int32_t sequence = 0;
};

class Story {
public:
    Story(std::uint64_t seed, Marks& marks, bool verbose)
        : world_(seed),
          marks_(marks),
          exact_(world_.chance(50)),
          cluster_(world_,
                   quick_options(exact_ ? MinIsrError::exact : MinIsrError::documented),
                   verbose) {}

    void run() {
        for (const NodeId id : cluster_.ids()) cluster_.start(id);
        (void)expect_whole(world_, cluster_, kPatience);
        create(create_request("three", 2, 3));
        create(create_request("two", 2, 2));
        (void)expect_whole(world_, cluster_, kPatience);
        trouble_.begin();
        for (int i = 0; i < 2; ++i) produce();
        for (std::size_t i = 0; i < partitions_.size(); ++i) {
            begin_idempotent(i);
            consume(i, 0);
        }
        watch();
        commit();
        change_topics();
        world_.run_for(kTrouble);
        over_ = true;
        trouble_.end();
        // What clients still wait for is answered.
        world_.run_for(kAsked + Millis{1000});
        const kafka::MetadataResponse last = expect_whole(world_, cluster_, kPatience);
        for (const ClientOracle::Partition& partition : partitions_)
            oracle_.whole(partition, all_of(partition));
        check_offsets();
        check_topics(last);
        if (oracle_.acknowledged_count() > 20) marks_.reach("acknowledged writes");
    }

private:
    void create(const kafka::CreateTopicsRequest& request) {
        for (int tries = 0; tries < 5; ++tries) {
            const auto answer =
                wait_for<kafka::CreateTopicsResponse>(world_, cluster_, any_node(), 5, request);
            if (!answer) continue;
            const Error error = answer->topics.at(0).error_code;
            if (error == Error::none || error == Error::topic_already_exists) return;
        }
        GroupOracle::fail("a healthy cluster creates no topic");
    }

    NodeId any_node() { return static_cast<NodeId>(world_.between(1, 3)); }
    const ClientOracle::Partition& any_partition() {
        return partitions_[world_.between(0, partitions_.size() - 1)];
    }
    bool has_min_isr(NodeId node, const ClientOracle::Partition& partition) {
        return cluster_.broker(node)->isr().has_min_isr(partition.first, partition.second);
    }
    NodeId likely_leader(const ClientOracle::Partition& partition) {
        NodeId best = any_node();
        if (world_.chance(20)) return best;
        std::uint64_t most = 0;
        for (const NodeId id : cluster_.ids())
            if (const std::uint64_t epoch = epoch_of(cluster_, id, partition); epoch > most) {
                most = epoch;
                best = id;
            }
        return best;
    }

    struct Sent {
        bool refusable = false; ///< there were too few replicas when it arrived
        std::uint64_t epoch = 0;
    };
    using Answered = std::function<void(Error)>;

    /// Sends one batch with acks=all, and tells the oracle what became of it.
    void send(const ClientOracle::Partition& partition,
              const std::string& value,
              std::int32_t records,
              const std::string& batch,
              bool only_once,
              Answered answered) {
        const NodeId node = likely_leader(partition);
        const auto sent = std::make_shared<Sent>();
        cluster_.ask<kafka::ProduceResponse>(
            node, static_cast<int>(world_.between(3, 10)),
            produce_request(partition.first, partition.second, batch), kAsked,
            [=, this, answered = std::move(answered)](
                const std::optional<kafka::ProduceResponse>& response) {
                if (!response) return answered(Error::request_timed_out);
                const auto& answer = response->responses.at(0).partition_responses.at(0);
                if (answer.error_code == Error::none) {
                    if (sent->refusable)
                        GroupOracle::fail("'{}' was taken below min.insync.replicas", value);
                    oracle_.acknowledged(partition, {answer.base_offset, records, value},
                                         sent->epoch);
                }
                if (sent->refusable) marks_.reach("refused below min.insync.replicas");
                const bool before =
                    sent->refusable || (exact_ && answer.error_code == Error::not_enough_replicas);
                if (only_once && before) oracle_.refused(value);
                answered(answer.error_code);
            },
            [=, this](bool is_answer) {
                if (is_answer)
                    sent->epoch = epoch_of(cluster_, node, partition);
                else
                    sent->refusable = !has_min_isr(node, partition);
            });
    }

    void produce() {
        if (over_) return;
        const ClientOracle::Partition partition = any_partition();
        const std::string value = fmt::format("plain {}", ++values_);
        const auto records = static_cast<std::int32_t>(world_.between(1, 4));
        log_test::Wanted wanted;
        wanted.records = records;
        wanted.timestamp = 1'700'000'000'000;
        send(partition, value, records, batch_of(value, wanted), true, [this](Error) {
            world_.after(world_.between(Millis{1}, Millis{60}), [this] { produce(); });
        });
    }

    void begin_idempotent(std::size_t at) {
        if (over_) return;
        cluster_.ask<kafka::InitProducerIdResponse>(
            any_node(), 4, kafka::InitProducerIdRequest{}, kAsked,
            [this, at](const std::optional<kafka::InitProducerIdResponse>& response) {
                if (!response || response->error_code != Error::none) {
                    world_.after(Millis{200}, [this, at] { begin_idempotent(at); });
                    return;
                }
                if (!producer_ids_.insert(response->producer_id).second)
                    GroupOracle::fail("producer id {} was given out twice", response->producer_id);
                send_idempotent(at, {response->producer_id, 0}, 0);
            });
    }

    void send_idempotent(std::size_t at, Idempotent producer, int tries) {
        if (over_ && tries == 0) return;
        if (!over_ && producer.sequence > 15) return begin_idempotent(at);
        const std::string value = fmt::format("once {} {}", producer.id, producer.sequence);
        log_test::Wanted wanted;
        wanted.producer = producer.id;
        wanted.epoch = 0;
        wanted.first_sequence = producer.sequence;
        wanted.timestamp = 1'700'000'000'000;
        send(partitions_[at], value, 1, batch_of(value, wanted), false,
             [this, at, producer, tries](Error error) {
                 if (error == Error::out_of_order_sequence_number ||
                     error == Error::invalid_producer_epoch)
                     GroupOracle::fail("producer {} was told {} for sequence {}", producer.id,
                                       kafka::to_string(error), producer.sequence);
                 Idempotent next = producer;
                 if (error == Error::none) ++next.sequence;
                 if (error == Error::none && tries > 0) marks_.reach("a retry was acknowledged");
                 const int so_far = error == Error::none ? 0 : tries + 1;
                 world_.after(world_.between(Millis{1}, Millis{80}),
                              [this, at, next, so_far] { send_idempotent(at, next, so_far); });
             });
    }

    void consume(std::size_t at, Offset offset) {
        if (over_) return;
        const ClientOracle::Partition partition = partitions_[at];
        const NodeId node = world_.chance(50) ? any_node() : likely_leader(partition);
        const bool waits = world_.chance(30);
        const int version = static_cast<int>(world_.between(4, 12));
        const auto required = std::make_shared<Offset>(0);
        const auto run = std::make_shared<std::uint64_t>(0);
        cluster_.ask<kafka::FetchResponse>(
            node, version,
            fetch_request(partition.first, partition.second, offset, waits ? 500 : 0), kAsked,
            [=, this](const std::optional<kafka::FetchResponse>& response) {
                Offset next = offset;
                if (response) next = take(node, *run, partition, offset, *required, *response);
                // Now and then all of it again.
                if (world_.chance(5)) next = 0;
                world_.after(world_.between(Millis{5}, Millis{100}),
                             [this, at, next] { consume(at, next); });
            },
            [=, this](bool is_answer) {
                if (is_answer) return;
                *run = cluster_.run(node);
                const std::uint64_t epoch = epoch_of(cluster_, node, partition);
                *required = epoch != 0 ? oracle_.acknowledged_end(partition, epoch) : 0;
            });
    }

    Offset take(NodeId node,
                std::uint64_t run,
                const ClientOracle::Partition& partition,
                Offset offset,
                Offset required,
                const kafka::FetchResponse& response) {
        const auto& answer = response.responses.at(0).partitions.at(0);
        if (answer.error_code == Error::offset_out_of_range)
            GroupOracle::fail("node {}: {}-{} was shown up to {}, which is out of range now", node,
                              partition.first, partition.second, offset);
        if (answer.error_code != Error::none) return offset;
        if (answer.high_watermark < required)
            GroupOracle::fail("leader {} of {}-{} shows {}, acknowledged is {}", node,
                              partition.first, partition.second, answer.high_watermark, required);
        oracle_.fetched(node, run, partition, offset, answer);
        if (epoch_of(cluster_, node, partition) == 0 && !answer.records.empty())
            marks_.reach("read from a node that does not lead");
        Offset next = offset;
        for (const Shown& batch : batches_in(answer.records))
            next = batch.base_offset + batch.records;
        return next;
    }

    void watch() {
        if (over_) return;
        const NodeId node = any_node();
        const auto run = std::make_shared<std::uint64_t>(0);
        cluster_.ask<kafka::MetadataResponse>(
            node, static_cast<int>(world_.between(10, 12)), all_topics(), kAsked,
            [this, node, run](const std::optional<kafka::MetadataResponse>& response) {
                if (response) oracle_.metadata(node, *run, *response);
                world_.after(world_.between(Millis{0}, Millis{30}), [this] { watch(); });
            },
            [this, node, run](bool) { *run = cluster_.run(node); });
    }

    void commit() {
        if (over_) return;
        kafka::OffsetCommitRequest request;
        request.group_id = "group";
        request.topics.push_back({"three", {{0, ++committing_, -1, "so far"}}});
        cluster_.ask<kafka::OffsetCommitResponse>(
            any_node(), 7, request, world_.between(Millis{50}, Millis{2000}),
            [this, offset = committing_](const std::optional<kafka::OffsetCommitResponse>& answer) {
                const bool done =
                    answer && answer->topics.at(0).partitions.at(0).error_code == Error::none;
                if (done) committed_ = offset;
                if (done) marks_.reach("committed offsets");
                world_.after(world_.between(Millis{0}, Millis{50}), [this] { commit(); });
            });
    }

    void change_topics() {
        if (over_) return;
        world_.after(world_.between(Millis{50}, Millis{900}), [this] { change_topics(); });
        if (world_.chance(20)) { // the same name again and again; how it ends is open
            if (world_.chance(50))
                ask_create(create_request("again", 1, 3), nullptr);
            else
                ask_delete("again", nullptr);
        } else if (created_.empty() || world_.chance(60)) {
            const std::string name = fmt::format("topic{}", ++topics_);
            ask_create(create_request(name, 1, static_cast<std::int16_t>(world_.between(1, 3))),
                       [this, name] { created_.insert(name); });
        } else {
            const std::string name = *created_.begin();
            created_.erase(name);
            ask_delete(name, [this, name] { deleted_.insert(name); });
        }
    }
    void ask_create(const kafka::CreateTopicsRequest& request, std::function<void()> created) {
        const NodeId node = any_node();
        cluster_.ask<kafka::CreateTopicsResponse>(
            node, 5, request, kAsked,
            [=, this](const std::optional<kafka::CreateTopicsResponse>& answer) {
                if (!answer || answer->topics.at(0).error_code != Error::none) return;
                marks_.reach("created topics in trouble");
                if (created) created();
            });
    }
    void ask_delete(const std::string& name, std::function<void()> deleted) {
        cluster_.ask<kafka::DeleteTopicsResponse>(
            any_node(), 4, delete_request(name), kAsked,
            [=, this](const std::optional<kafka::DeleteTopicsResponse>& answer) {
                if (!answer || answer->responses.at(0).error_code != Error::none) return;
                marks_.reach("deleted topics in trouble");
                if (deleted) deleted();
            });
    }

    /// Leadership may still go back to a partition's first replica: then another node is asked.
    std::vector<Shown> all_of(const ClientOracle::Partition& partition) {
        for (int tries = 0; tries < 20; ++tries) {
            for (const NodeId id : cluster_.ids()) {
                if (epoch_of(cluster_, id, partition) == 0) continue;
                auto all = read_all(world_, cluster_, id, partition.first, partition.second);
                if (all) return *std::move(all);
            }
            world_.run_for(Millis{100});
        }
        GroupOracle::fail("{}-{} cannot be read in the end", partition.first, partition.second);
    }
    void check_offsets() {
        kafka::OffsetFetchRequest request;
        request.group_id = "group";
        request.topics.emplace().push_back({"three", {0}});
        for (int tries = 0; tries < 20; ++tries) {
            for (const NodeId id : cluster_.ids()) {
                const auto answer =
                    wait_for<kafka::OffsetFetchResponse>(world_, cluster_, id, 5, request);
                if (!answer || answer->error_code != Error::none) continue;
                const Offset offset = answer->topics.at(0).partitions.at(0).committed_offset;
                if (offset >= committed_ && offset <= committing_) return;
                GroupOracle::fail("the group committed {}, in the end it is {}", committed_,
                                  offset);
            }
            world_.run_for(Millis{100});
        }
        GroupOracle::fail("the group's offsets cannot be read in the end");
    }
    void check_topics(const kafka::MetadataResponse& metadata) {
        std::set<std::string> names;
        for (const auto& topic : metadata.topics) names.insert(topic.name.value_or(""));
        for (const std::string& name : created_)
            if (!names.contains(name)) GroupOracle::fail("{} was created, and is gone", name);
        for (const std::string& name : deleted_)
            if (names.contains(name)) GroupOracle::fail("{} was deleted, and is there", name);
    }

    World world_;
    Marks& marks_;
    bool exact_;
    BrokerCluster cluster_;
    Trouble trouble_{world_, cluster_, marks_};
    ClientOracle oracle_;
    std::vector<ClientOracle::Partition> partitions_{
        {"three", 0}, {"three", 1}, {"two", 0}, {"two", 1}};
    bool over_ = false;
    std::uint64_t values_ = 0;
    std::set<std::int64_t> producer_ids_;
    Offset committing_ = 0;
    Offset committed_ = -1;
    std::uint64_t topics_ = 0;
    std::set<std::string> created_;
    std::set<std::string> deleted_;
};

} // namespace

TEST_CASE("A cluster keeps what it told its clients through crashes, cuts and lost writes",
          "[broker][simulation]") {
    const std::uint64_t replayed = property::from_environment("INSYNC_SEED", 0);
    const std::uint64_t worlds = property::from_environment("INSYNC_WORLDS", kWorlds);
    const bool verbose = property::from_environment("INSYNC_VERBOSE", 0) != 0;
    const std::uint64_t first = replayed != 0 ? replayed : 1;
    const std::uint64_t last = replayed != 0 ? replayed : worlds;
    Marks marks;
    for (std::uint64_t seed = first; seed <= last; ++seed) {
        try {
            Story(seed, marks, verbose).run();
        } catch (const std::exception& error) {
            FAIL("replay with INSYNC_SEED=" << seed << ": " << error.what());
        }
    }
    INFO(marks.text());
    if (replayed != 0 || worlds < kWorlds) return;
    for (const char* const mark :
         {"acknowledged writes", "refused below min.insync.replicas", "a retry was acknowledged",
          "read from a node that does not lead", "committed offsets", "created topics in trouble",
          "deleted topics in trouble", "left in order", "lost power everywhere"}) {
        CHECK(marks.count(mark) > 0);
    }
}
