#include <insync/config.hpp>
#include <insync/errors.hpp>
#include <insync/handle.hpp>
#include <insync/isr_manager.hpp>
#include <insync/kafka/error_codes.hpp>
#include <insync/kafka/produce.hpp>
#include <insync/testing/manual_clock.hpp>
#include <insync/testing/scripted_view.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

using namespace std::chrono_literals;
using insync::IsrConfig;
using insync::NodeId;
using insync::Result;
using insync::WaitResult;
using insync::kafka::admit_produce;
using insync::kafka::Appended;
using insync::kafka::ErrorCode;
using insync::kafka::kAcksAll;
using insync::kafka::kAcksLeader;
using insync::kafka::kAcksNone;
using insync::kafka::MinIsrError;
using insync::testing::ManualClock;
using insync::testing::ScriptedView;

namespace {

/// Node 1 leads one partition with replicas 1, 2, 3 and the default min ISR of 2.
struct Broker {
    ManualClock clock;
    ScriptedView view;
    insync::IsrManager<ScriptedView, ManualClock> manager;

    explicit Broker(const IsrConfig& config = {}) : manager{1, view, config, clock} {
        view.lead("t", 0, 1, 1, 100);
        view.follower("t", 0, 2, 100, clock.now()).follower(3, 100, clock.now());
        REQUIRE(manager.initialize_isr("t", 0, {1, 2, 3}) == Result::ok);
    }

    /// Followers 2 and 3 fall silent for as long as it takes.
    void lose_followers() {
        for (int second = 0; second < 12; ++second) {
            clock.advance(1s);
            manager.tick();
        }
        REQUIRE(manager.get_isr("t", 0)->to_vec() == std::vector<NodeId>{1});
    }

    ErrorCode admit(std::int16_t acks, MinIsrError policy = MinIsrError::as_documented) {
        return admit_produce(manager, "t", 0, acks, policy);
    }

    void respond(insync::Index index,
                 std::vector<ErrorCode>& answers,
                 insync::Epoch epoch = 1,
                 insync::Millis timeout = 30s) {
        insync::kafka::respond_when_replicated(
            manager, manager.find("t", 0), Appended{epoch, index, clock.now() + timeout},
            [&answers](ErrorCode code) { answers.push_back(code); });
    }
};

/// A broker's own response, with Kafka's field names.
struct PartitionResponse {
    std::int16_t error_code = 0;
    std::int64_t base_offset = 42;
    std::int64_t log_append_time_ms = 42;
    std::int64_t log_start_offset = 42;
};
struct OtherPartitionResponse {
    enum class Error : std::int16_t { none, not_enough_replicas = 19 };
    Error error_code = Error::none;
    std::int64_t base_offset = 42;
    std::int64_t log_append_time = 42;
    std::int64_t log_start_offset = 42;
};

} // namespace

TEST_CASE("an acks=all produce is admitted while the ISR has min ISR", "[kafka_produce]") {
    Broker broker;
    CHECK(broker.admit(kAcksAll) == ErrorCode::none);
    CHECK(admit_produce(broker.manager, broker.manager.find("t", 0), kAcksAll) == ErrorCode::none);
    CHECK(broker.manager.counters().refused_produces == 0);
}

TEST_CASE("an acks=all produce is refused, and counted, when the ISR is below min ISR",
          "[kafka_produce]") {
    Broker broker;
    broker.lose_followers();
    CHECK(broker.admit(kAcksAll) == ErrorCode::not_enough_replicas_after_append);
    CHECK(broker.admit(kAcksAll, MinIsrError::exact) == ErrorCode::not_enough_replicas);
    const auto handle = broker.manager.find("t", 0);
    CHECK(admit_produce(broker.manager, handle, kAcksAll, MinIsrError::exact) ==
          ErrorCode::not_enough_replicas);
    CHECK(broker.manager.counters().refused_produces == 3);
}

TEST_CASE("min ISR does not bind producers that did not ask for it", "[kafka_produce]") {
    Broker broker;
    broker.lose_followers();
    CHECK(broker.admit(kAcksLeader) == ErrorCode::none);
    CHECK(broker.admit(kAcksNone) == ErrorCode::none);
    CHECK(broker.manager.counters().refused_produces == 0);
}

TEST_CASE("acks that do not exist are refused, whatever the ISR", "[kafka_produce]") {
    Broker broker;
    CHECK(broker.admit(2) == ErrorCode::invalid_required_acks);
    CHECK(broker.admit(-2) == ErrorCode::invalid_required_acks);
    CHECK(broker.manager.counters().refused_produces == 0);
}

TEST_CASE("each partition is held against its own min ISR", "[kafka_produce]") {
    Broker broker;
    broker.view.lead("t", 1, 1, 1, 0);
    REQUIRE(broker.manager.initialize_isr("t", 1, {1, 2, 3}, 1) == Result::ok);
    broker.lose_followers();
    CHECK(broker.admit(kAcksAll) != ErrorCode::none);
    CHECK(admit_produce(broker.manager, "t", 1, kAcksAll) == ErrorCode::none);
}

TEST_CASE("a partition without tracking is answered as configured", "[kafka_produce]") {
    Broker standalone;
    CHECK(admit_produce(standalone.manager, "else", 0, kAcksAll) == ErrorCode::none);
    Broker strict{IsrConfig{.unknown_partition = insync::UnknownPartition::deny}};
    CHECK(admit_produce(strict.manager, "else", 0, kAcksAll) ==
          ErrorCode::not_enough_replicas_after_append);
    CHECK(admit_produce(standalone.manager, insync::PartitionHandle{}, kAcksAll) ==
          ErrorCode::not_enough_replicas_after_append);
}

TEST_CASE("how a wait ended decides the code", "[kafka_produce]") {
    using insync::kafka::error_after_append;
    CHECK(error_after_append(WaitResult::committed) == ErrorCode::none);
    CHECK(error_after_append(WaitResult::not_enough_replicas) ==
          ErrorCode::not_enough_replicas_after_append);
    CHECK(error_after_append(WaitResult::not_leader) == ErrorCode::not_leader_or_follower);
    CHECK(error_after_append(WaitResult::timed_out) == ErrorCode::request_timed_out);
    CHECK(error_after_append(WaitResult::shut_down) == ErrorCode::request_timed_out);
}

TEST_CASE("a wait that was refused never says that nothing was appended", "[kafka_produce]") {
    using insync::kafka::error_of_refused_wait;
    CHECK(error_of_refused_wait(Result::not_leader) == ErrorCode::not_leader_or_follower);
    CHECK(error_of_refused_wait(Result::unknown_partition) ==
          ErrorCode::unknown_topic_or_partition);
    for (std::size_t i = 0; i < insync::kResultCount; ++i) {
        const ErrorCode code = error_of_refused_wait(static_cast<Result>(i));
        CHECK(code != ErrorCode::none);
        CHECK(code != ErrorCode::not_enough_replicas);
    }
}

TEST_CASE("a refusal has -1 in place of every number", "[kafka_produce]") {
    PartitionResponse response;
    insync::kafka::refuse(response, ErrorCode::not_enough_replicas_after_append);
    CHECK(response.error_code == 20);
    CHECK(response.base_offset == -1);
    CHECK(response.log_append_time_ms == -1);
    CHECK(response.log_start_offset == -1);

    OtherPartitionResponse other;
    insync::kafka::refuse(other, ErrorCode::not_enough_replicas);
    CHECK(other.error_code == OtherPartitionResponse::Error::not_enough_replicas);
    CHECK(other.log_append_time == -1);
}

TEST_CASE("the answer comes once, when every member holds the record", "[kafka_produce]") {
    Broker broker;
    std::vector<ErrorCode> answers;
    broker.view.group("t", 0).positions({101, 101, 101});
    broker.respond(101, answers);
    CHECK(answers.empty());
    broker.view.follower("t", 0, 2, 101, broker.clock.now());
    REQUIRE(broker.manager.update_isr("t", 0) == Result::ok);
    CHECK(answers.empty());
    broker.view.follower("t", 0, 3, 101, broker.clock.now());
    REQUIRE(broker.manager.update_isr("t", 0) == Result::ok);
    CHECK(answers == std::vector{ErrorCode::none});
    REQUIRE(broker.manager.update_isr("t", 0) == Result::ok);
    CHECK(answers.size() == 1);
}

TEST_CASE("an acknowledgement that came first gives the same answer", "[kafka_produce]") {
    Broker broker;
    broker.view.group("t", 0).positions({101, 101, 101});
    broker.view.follower("t", 0, 2, 101, broker.clock.now());
    broker.view.follower("t", 0, 3, 101, broker.clock.now());
    REQUIRE(broker.manager.update_isr("t", 0) == Result::ok);
    std::vector<ErrorCode> answers;
    broker.respond(101, answers);
    CHECK(answers == std::vector{ErrorCode::none});
}

TEST_CASE("an ISR that falls below min ISR meanwhile answers 20 before the timeout",
          "[kafka_produce]") {
    Broker broker;
    std::vector<ErrorCode> answers;
    broker.view.group("t", 0).positions({101, 101, 101});
    broker.respond(101, answers);
    broker.lose_followers();
    CHECK(answers == std::vector{ErrorCode::not_enough_replicas_after_append});
}

TEST_CASE("an append of another epoch is answered not leader, at once", "[kafka_produce]") {
    Broker broker;
    std::vector<ErrorCode> answers;
    broker.respond(100, answers, 2);
    CHECK(answers == std::vector{ErrorCode::not_leader_or_follower});
}

TEST_CASE("leadership that is lost while waiting answers not leader", "[kafka_produce]") {
    Broker broker;
    std::vector<ErrorCode> answers;
    broker.respond(101, answers);
    broker.view.follow("t", 0, 2, 2);
    REQUIRE(broker.manager.update_isr("t", 0) == Result::ok);
    CHECK(answers == std::vector{ErrorCode::not_leader_or_follower});
}

TEST_CASE("a wait at its deadline, and one at shutdown, answer that the outcome is unknown",
          "[kafka_produce]") {
    Broker broker;
    std::vector<ErrorCode> answers;
    broker.view.group("t", 0).positions({101, 101, 101});
    broker.respond(101, answers, 1, 5s);
    broker.view.follower("t", 0, 2, 101, broker.clock.now()); // and 3 never gets there
    for (int second = 0; second < 5; ++second) {
        CHECK(answers.empty());
        broker.clock.advance(1s);
        broker.view.follower("t", 0, 3, 100, broker.clock.now());
        broker.manager.tick();
    }
    CHECK(answers == std::vector{ErrorCode::request_timed_out});

    broker.respond(101, answers);
    broker.manager.shut_down();
    REQUIRE(answers.size() == 2);
    CHECK(answers[1] == ErrorCode::request_timed_out);
    broker.respond(101, answers);
    REQUIRE(answers.size() == 3);
    CHECK(answers[2] == ErrorCode::request_timed_out);
}

TEST_CASE("an append to a partition that was removed meanwhile is answered unknown",
          "[kafka_produce]") {
    Broker broker;
    const auto handle = broker.manager.find("t", 0);
    REQUIRE(broker.manager.remove_partition("t", 0) == Result::ok);
    std::vector<ErrorCode> answers;
    insync::kafka::respond_when_replicated(broker.manager, handle,
                                           Appended{1, 100, broker.clock.now() + 1s},
                                           [&](ErrorCode code) { answers.push_back(code); });
    CHECK(answers == std::vector{ErrorCode::unknown_topic_or_partition});
}
