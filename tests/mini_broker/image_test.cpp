#include "cluster/image.hpp"

#include <catch2/catch_test_macros.hpp>

#include <set>
#include <string>
#include <vector>

using namespace mini_broker;
using mini_broker::kafka::Error;
using Kind = Image::Change::Kind;

namespace {

Uuid id_of(std::uint8_t number) {
    Uuid id{};
    id[0] = number;
    return id;
}

CreateTopic create(const std::string& name, std::uint8_t id, std::size_t partitions = 1) {
    return {name, id_of(id), {}, {partitions, std::vector<NodeId>{1, 2, 3}}};
}

PublishIsr publish(std::uint8_t id, std::uint64_t epoch, std::uint64_t version) {
    return {{{id_of(id), 0, {1, epoch, version, {1, 2}}}}};
}

AddPartitions add(std::size_t first, std::vector<std::vector<NodeId>> replicas) {
    return {"a", id_of(1), first, std::move(replicas)};
}

/// Of topic "a" with id 1.
SetConfigs set_configs(std::uint8_t request,
                       std::map<std::string, std::optional<std::string>> changes,
                       bool replace = false) {
    return {"a", id_of(1), id_of(request), std::move(changes), replace};
}

CommitOffsets commit(const std::string& topic, Offset offset, std::int32_t partition = 0) {
    return {"group", {{topic, partition, offset, 3, "metadata"}}};
}

Image::Applied apply(Image& image, const Command& command) {
    return image.apply(command);
}

Error result_of(Image& image, const Command& command) {
    const Image::Applied applied = apply(image, command);
    if (applied.result.error != Error::none) CHECK(applied.changes.empty());
    return applied.result.error;
}

} // namespace

TEST_CASE("A broker that registers again replaces what was known of it", "[cluster][image]") {
    Image image;
    CHECK(result_of(image, RegisterBroker{2, "old", 1, ""}) == Error::none);
    CHECK(result_of(image, RegisterBroker{2, "new", 2, "rack"}) == Error::none);
    CHECK(image.brokers().size() == 1);
    CHECK(image.brokers().at(2) == Image::Broker{"new", 2, "rack"});
    for (const NodeId node : {NodeId{0}, NodeId{-1}, NodeId{1} << 40})
        CHECK(result_of(image, RegisterBroker{node, "host", 1, ""}) == Error::invalid_request);
    CHECK(image.brokers().size() == 1);
}

TEST_CASE("A topic's partitions get groups that no other partition ever has", "[cluster][image]") {
    Image image;
    const Image::Applied applied = apply(image, create("a", 1, 2));
    REQUIRE(applied.changes.size() == 1);
    CHECK(applied.changes[0].kind == Kind::topic_created);
    CHECK(applied.changes[0].topic.partitions.size() == 2);
    CHECK(image.topic("a")->partitions[0].group == 1);
    CHECK(image.topic("a")->partitions[1].group == 2);
    CHECK(result_of(image, DeleteTopic{"a"}) == Error::none);
    CHECK(result_of(image, create("a", 2)) == Error::none);
    CHECK(image.topic("a")->partitions[0].group == 3);
    CHECK(image.topics_created() == 2);
}

TEST_CASE("The same creation twice is one, another of the same name is refused",
          "[cluster][image]") {
    Image image;
    CHECK(result_of(image, create("a", 1)) == Error::none);
    const Image::Applied again = apply(image, create("a", 1));
    CHECK(again.result.error == Error::none);
    CHECK(again.changes.empty());
    CHECK(image.topics_created() == 1);
    CHECK(result_of(image, create("a", 2)) == Error::topic_already_exists);
    CHECK(image.topic("a")->id == id_of(1));
    CHECK(image.topic(id_of(2)) == nullptr);
    CHECK(result_of(image, create("b", 1)) == Error::invalid_request);
    CHECK(image.topic(id_of(1))->name == "a");
}

TEST_CASE("A topic that could not be served is refused on every node", "[cluster][image]") {
    Image image;
    CHECK(result_of(image, create("a/b", 1)) == Error::invalid_topic);
    CHECK(result_of(image, create("a", 1, 0)) == Error::invalid_replica_assignment);
    CreateTopic none = create("a", 1);
    none.replicas = {{}};
    CHECK(result_of(image, none) == Error::invalid_replica_assignment);
    none.replicas = {{1, 2, 1}};
    CHECK(result_of(image, none) == Error::invalid_replica_assignment);
    none.replicas = {std::vector<NodeId>(insync::kMaxReplicas + 1, 1)};
    CHECK(result_of(image, none) == Error::invalid_replica_assignment);
    CHECK(image.topics().empty());
    CHECK(image.topics_created() == 0);
}

TEST_CASE("What is asked of a topic that is not there is refused", "[cluster][image]") {
    Image image;
    CHECK(result_of(image, DeleteTopic{"a"}) == Error::unknown_topic_or_partition);
    CHECK(result_of(image, add(0, {{1}})) == Error::unknown_topic_or_partition);
    CHECK(result_of(image, set_configs(1, {})) == Error::unknown_topic_or_partition);
    CHECK(apply(image, publish(1, 1, 1)).changes.empty());
    CHECK(image.topic("a") == nullptr);
    CHECK(image.partition("a", 0) == nullptr);
}

TEST_CASE("Partitions are added to as many as the sender knew, or not", "[cluster][image]") {
    Image image;
    (void)apply(image, create("a", 1, 2));
    const Image::Applied applied = apply(image, add(2, {{1}, {2}}));
    REQUIRE(applied.changes.size() == 1);
    CHECK(applied.changes[0].kind == Kind::partitions_added);
    CHECK(applied.changes[0].first == 2);
    CHECK(image.topic("a")->partitions.size() == 4);
    CHECK(image.partition("a", 3)->group == 4);
    CHECK(result_of(image, add(2, {{1}})) == Error::invalid_partitions);
    CHECK(result_of(image, add(4, {})) == Error::invalid_replica_assignment);
    CHECK(image.topic("a")->partitions.size() == 4);
    CHECK(image.partition("a", 4) == nullptr);
    CHECK(image.partition("a", -1) == nullptr);
}

TEST_CASE("Configurations change one by one, or all at once", "[cluster][image]") {
    Image image;
    CreateTopic command = create("a", 1);
    command.configs = {{"retention.ms", "1"}, {"retention.bytes", "2"}};
    (void)apply(image, command);
    CHECK(result_of(image, set_configs(1, {{"retention.ms", std::nullopt},
                                           {"segment.bytes", "9999"}})) == Error::none);
    using Configs = std::map<std::string, std::string>;
    CHECK(image.topic("a")->configs ==
          Configs{{"retention.bytes", "2"}, {"segment.bytes", "9999"}});
    CHECK(result_of(image, set_configs(2, {{"retention.ms", "7"}}, true)) == Error::none);
    CHECK(image.topic("a")->configs == Configs{{"retention.ms", "7"}});
}

TEST_CASE("An ISR counts if its epoch is newer, or its version within the epoch",
          "[cluster][image]") {
    Image image;
    (void)apply(image, create("a", 1));
    const auto takes = [&image](std::uint64_t epoch, std::uint64_t version) {
        const Image::Applied applied = apply(image, publish(1, epoch, version));
        CHECK(applied.result.error == Error::none);
        return !applied.changes.empty();
    };
    CHECK(takes(2, 5));
    CHECK_FALSE(takes(2, 5));
    CHECK_FALSE(takes(2, 4));
    CHECK(takes(2, 6));
    CHECK_FALSE(takes(1, 99));
    CHECK(takes(3, 1));
    CHECK_FALSE(takes(2, 100));
    CHECK(image.partition("a", 0)->isr->epoch == 3);

    PublishIsr command = publish(1, 9, 9);
    command.sets.push_back({id_of(7), 0, {1, 9, 9, {1}}}); // no topic
    command.sets.push_back({id_of(1), 5, {1, 9, 9, {1}}}); // no partition
    command.sets.push_back({id_of(1), -1, {1, 9, 9, {1}}});
    const Image::Applied applied = apply(image, command);
    REQUIRE(applied.changes.size() == 1);
    CHECK(applied.changes[0].kind == Kind::isr);
    CHECK(applied.changes[0].topic.name == "a");
    CHECK(applied.changes[0].partitions == std::vector<std::int32_t>{0});
}

TEST_CASE("An ISR of a deleted topic is not that of the next of its name", "[cluster][image]") {
    Image image;
    (void)apply(image, create("a", 1));
    (void)apply(image, DeleteTopic{"a"});
    (void)apply(image, create("a", 2));
    CHECK(apply(image, publish(1, 5, 5)).changes.empty());
    CHECK_FALSE(image.partition("a", 0)->isr);
}

TEST_CASE("A group was deleted if it was given out and no partition has it", "[cluster][image]") {
    Image image;
    (void)apply(image, create("a", 1, 2));
    (void)apply(image, create("b", 2));
    CHECK_FALSE(image.was_deleted(kMetadataGroup));
    CHECK_FALSE(image.was_deleted(1));
    (void)apply(image, DeleteTopic{"a"});
    CHECK(image.was_deleted(1));
    CHECK(image.was_deleted(2));
    CHECK_FALSE(image.was_deleted(3));
    CHECK_FALSE(image.was_deleted(4)); // not given out yet
    CHECK_FALSE(image.was_deleted(4'000'000'000));
}

TEST_CASE("A group's offsets go with the topic, and none come after it", "[cluster][image]") {
    Image image;
    (void)apply(image, create("a", 1));
    (void)apply(image, create("b", 2));
    CHECK(image.offsets("group") == nullptr);
    (void)apply(image, commit("a", 5));
    (void)apply(image, commit("b", 6));
    (void)apply(image, commit("a", 7));
    REQUIRE(image.offsets("group") != nullptr);
    CHECK(image.offsets("group")->at({"a", 0}).offset == 7);
    CHECK(image.offsets("group")->at({"a", 0}).epoch == 3);
    CHECK(image.offsets("group")->at({"a", 0}).metadata == "metadata");
    (void)apply(image, DeleteTopic{"a"});
    CHECK_FALSE(image.offsets("group")->contains({"a", 0}));
    CHECK(image.offsets("group")->at({"b", 0}).offset == 6);
    // One that was on its way when the topic was deleted.
    (void)apply(image, commit("a", 8));
    (void)apply(image, create("a", 3));
    CHECK_FALSE(image.offsets("group")->contains({"a", 0}));
    (void)apply(image, commit("a", 8, 1)); // no such partition
    CHECK_FALSE(image.offsets("group")->contains({"a", 1}));
    CHECK(image.groups() == std::vector<std::string>{"group"});
}

TEST_CASE("Blocks of producer ids never overlap, whatever is asked for", "[cluster][image]") {
    Image image;
    std::int64_t end = 0;
    for (const std::int32_t count : {1000, 1, 0, -5, 2'147'483'647, 1000}) {
        const Image::Applied applied = apply(image, ReserveProducerIds{count});
        CHECK(applied.result.error == Error::none);
        CHECK(applied.result.value >= end);
        end = applied.result.value + std::max(count, 1);
        if (count > 1'000'000) end = applied.result.value + 1'000'000; // no more at once
    }
}

TEST_CASE("A creation that comes again after the deletion brings no topic back",
          "[cluster][image]") {
    Image image;
    (void)apply(image, create("a", 1));
    (void)apply(image, DeleteTopic{"a", id_of(1)});
    const Image::Applied again = apply(image, create("a", 1));
    CHECK(again.result.error == Error::none);
    CHECK(again.changes.empty());
    CHECK(image.topic("a") == nullptr);
    CHECK(result_of(image, create("a", 2)) == Error::none);
    CHECK(image.topic("a")->id == id_of(2));
}

TEST_CASE("A deletion that comes again leaves the next topic of the name alone",
          "[cluster][image]") {
    Image image;
    (void)apply(image, create("a", 1));
    CHECK(result_of(image, DeleteTopic{"a", id_of(1)}) == Error::none);
    (void)apply(image, create("a", 2));
    const Image::Applied again = apply(image, DeleteTopic{"a", id_of(1)});
    CHECK(again.result.error == Error::none);
    CHECK(again.changes.empty());
    CHECK(image.topic("a") != nullptr);
    CHECK(result_of(image, DeleteTopic{"a", id_of(9)}) == Error::unknown_topic_or_partition);
    CHECK(image.topic("a") != nullptr);
    CHECK(result_of(image, DeleteTopic{"a"}) == Error::none);
}

TEST_CASE("A partition begins with the replicas that are not known to be dead",
          "[cluster][image]") {
    using Nodes = std::vector<NodeId>;
    Image image;
    for (const NodeId node : {1, 2, 3})
        CHECK(result_of(image, RegisterBroker{node, "host", 1, ""}) == Error::none);
    CHECK(result_of(image, create("before", 1)) == Error::none);
    const Image::Applied marked = apply(image, SetDeadNodes{{3, 7}}); // 7 never came
    REQUIRE(marked.changes.size() == 1);
    CHECK(marked.changes[0].kind == Kind::dead_nodes);
    CHECK(image.dead_nodes() == std::set<NodeId>{3});
    CHECK(apply(image, SetDeadNodes{{3}}).changes.empty());
    CHECK(result_of(image, create("a", 2)) == Error::none);
    CHECK(result_of(image, AddPartitions{"a", id_of(2), 1, {{3, 2, 1}, {3}}}) == Error::none);
    CHECK(image.topic("before")->partitions[0].alive == Nodes{1, 2, 3});
    CHECK(image.topic("a")->partitions[0].alive == Nodes{1, 2});
    CHECK(image.topic("a")->partitions[1].alive == Nodes{2, 1});
    CHECK(image.topic("a")->partitions[2].alive == Nodes{3}); // nobody else is better

    CHECK(apply(image, SetDeadNodes{}).changes.size() == 1);
    CHECK(result_of(image, create("after", 3)) == Error::none);
    CHECK(image.topic("after")->partitions[0].alive == Nodes{1, 2, 3});
    CHECK(image.topic("a")->partitions[0].alive == Nodes{1, 2}); // as it was when it was made
}

TEST_CASE("The same partitions added twice are added once", "[cluster][image]") {
    Image image;
    (void)apply(image, create("a", 1, 2));
    const AddPartitions command = add(2, {{1, 2}, {2, 3}});
    CHECK(result_of(image, command) == Error::none);
    const Image::Applied again = apply(image, command);
    CHECK(again.result.error == Error::none);
    CHECK(again.changes.empty());
    CHECK(image.topic("a")->partitions.size() == 4);
    CHECK(result_of(image, add(2, {{1, 2}, {3, 2}})) == Error::invalid_partitions);
}

TEST_CASE("A change of configuration that comes again does not undo a newer one",
          "[cluster][image]") {
    Image image;
    (void)apply(image, create("a", 1));
    const SetConfigs older = set_configs(7, {{"retention.ms", "1"}});
    CHECK(result_of(image, older) == Error::none);
    CHECK(result_of(image, set_configs(8, {{"retention.ms", "2"}})) == Error::none);
    const Image::Applied again = apply(image, older);
    CHECK(again.result.error == Error::none); // whoever still waits for it is told the truth
    CHECK(again.changes.empty());
    CHECK(image.topic("a")->configs.at("retention.ms") == "2");
}

TEST_CASE("What was asked of a topic never reaches the next of its name", "[cluster][image]") {
    Image image;
    (void)apply(image, create("a", 1));
    (void)apply(image, DeleteTopic{"a", id_of(1)});
    (void)apply(image, create("a", 2));
    CHECK(result_of(image, set_configs(7, {{"retention.ms", "1"}})) ==
          Error::unknown_topic_or_partition);
    CHECK(result_of(image, add(1, {{1}})) == Error::unknown_topic_or_partition);
    CHECK(image.topic("a")->configs.empty());
    CHECK(image.topic("a")->partitions.size() == 1);
}
