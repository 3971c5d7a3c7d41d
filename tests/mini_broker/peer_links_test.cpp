#include "net/peer_links.hpp"

#include "mini_broker/support/sockets.hpp"
#include "net/hello.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace mini_broker;
using namespace mini_broker::testing;

namespace {

std::string frame(GroupId group, std::uint8_t type, std::string_view payload) {
    std::string content;
    for (int shift = 24; shift >= 0; shift -= 8)
        content.push_back(static_cast<char>(group >> shift));
    content.push_back(static_cast<char>(type));
    content.append(payload);
    return framed(content);
}

struct Got {
    NodeId from;
    GroupId group;
    std::uint8_t type;
    std::string payload;
    friend bool operator==(const Got&, const Got&) = default;
};

/// One node's links, and what came over them.
struct Node {
    Node(UvLoop& loop,
         NodeId self,
         std::map<NodeId, Address> peers,
         std::uint16_t port = 0,
         const std::function<void(PeerLinkOptions&)>& adjust = {}) {
        PeerLinkOptions options;
        options.self = self;
        options.listen = loopback(port);
        options.peers = std::move(peers);
        options.retry_least = Millis{5};
        options.retry_most = Millis{20};
        if (adjust) adjust(options);
        links.emplace(loop, log.logger, std::move(options),
                      PeerEvents{.frame =
                                     [this](NodeId from, GroupId group, std::uint8_t type,
                                            std::string_view payload) {
                                         got.push_back({from, group, type, std::string{payload}});
                                     },
                                 .up = [this](NodeId) { ++ups; },
                                 .down = [this](NodeId) { ++downs; }});
    }
    void send(NodeId to, std::string_view bytes) { links->outbox(to)->append(bytes); }

    KeptLog log;
    std::vector<Got> got;
    int ups = 0;
    int downs = 0;
    std::optional<PeerLinks> links;
};

/// A port that nobody listens on just now.
std::uint16_t free_port(UvLoop& loop) {
    return Node{loop, 9, {}}.links->port();
}

bool connect_both(UvLoop& loop, Node& one, Node& two) {
    return run_until(loop, [&] { return one.links->connected(2) && two.links->connected(1); });
}

} // namespace

TEST_CASE("Two nodes exchange frames, in order, with what was appended in one turn together") {
    UvLoop loop;
    Node one{loop, 1, {{2, loopback(1)}}};
    Node two{loop, 2, {{1, loopback(one.links->port())}, {2, loopback(1)}}};
    one.links->set_address(2, loopback(two.links->port()));
    REQUIRE(connect_both(loop, one, two));
    one.send(2, frame(7, 3, "first"));
    one.send(2, frame(0, 200, ""));
    two.send(1, frame(0xfffffffe, 1, "back"));
    REQUIRE(run_until(loop, [&] { return two.got.size() == 2 && one.got.size() == 1; }));
    CHECK(two.got == std::vector<Got>{{1, 7, 3, "first"}, {1, 0, 200, ""}});
    CHECK(one.got == std::vector<Got>{{2, 0xfffffffe, 1, "back"}});
    CHECK(one.links->last_heard(2) > insync::kNever);
    CHECK(one.ups == 1);
}

TEST_CASE("A frame of many megabytes arrives whole") {
    UvLoop loop;
    Node one{loop, 1, {{2, loopback(1)}}};
    Node two{loop, 2, {{1, loopback(one.links->port())}}};
    REQUIRE(run_until(loop, [&] { return two.links->connected(1); }));
    std::string large(20u << 20, 'x');
    large.back() = 'y';
    two.send(1, frame(1, 2, large));
    two.send(1, frame(1, 2, "next"));
    REQUIRE(run_until(loop, [&] { return one.got.size() == 2; }));
    CHECK(one.got[0].payload == large);
    CHECK(one.got[1].payload == "next");
}

TEST_CASE("Links come up by themselves once the other node does, and again after it restarted") {
    UvLoop loop;
    const std::uint16_t port = free_port(loop);
    Node one{loop, 1, {{2, loopback(port)}}};
    run_for(loop, Millis{30});
    CHECK_FALSE(one.links->connected(2));
    CHECK(one.links->outbox(2) == nullptr);
    for (int round = 1; round <= 3; ++round) {
        Node two{loop, 2, {{1, loopback(one.links->port())}}, port};
        REQUIRE(connect_both(loop, one, two));
        CHECK(one.ups == round);
        two.links.reset();
        REQUIRE(run_until(loop, [&] { return !one.links->connected(2); }));
        CHECK(one.downs == round);
    }
}

TEST_CASE("There is no outbox for a node that is unknown or this one") {
    UvLoop loop;
    Node one{loop, 1, {{1, loopback(1)}}};
    CHECK(one.links->outbox(1) == nullptr);
    CHECK(one.links->outbox(5) == nullptr);
    CHECK(one.links->last_heard(5) == insync::kNever);
}

TEST_CASE(
    "There is no outbox while too much waits for a node, and there is again once it has read") {
    UvLoop loop;
    Node one{loop, 1, {{2, loopback(1)}}, 0, [](auto& options) { options.max_pending = 1000; }};
    Node two{loop, 2, {{1, loopback(one.links->port())}}};
    one.links->set_address(2, loopback(two.links->port()));
    REQUIRE(connect_both(loop, one, two));
    one.send(2, frame(1, 1, std::string(2000, 'x')));
    CHECK(one.links->outbox(2) == nullptr);
    CHECK(run_until(loop, [&] { return two.got.size() == 1 && one.links->outbox(2) != nullptr; }));
}

TEST_CASE("Whoever says anything but a right hello is disconnected") {
    UvLoop loop;
    Node one{loop, 1, {{2, loopback(1)}}};
    const std::uint64_t cluster = cluster_hash("mini-broker");
    std::string wrong_version = encode(Hello{2, cluster});
    wrong_version[5] = 9;
    std::string older = wrong_version; // its snapshots name no producers
    older[5] = 1;
    const std::string said = GENERATE_COPY(
        std::string(1000, '\0'), std::string{"GET / HTTP/1.1\r\nHost: x\r\n\r\n"}, wrong_version,
        older, encode(Hello{2, cluster + 1}), encode(Hello{3, cluster}), encode(Hello{1, cluster}),
        encode(Hello{-1, cluster}));
    RawClient client{loop, one.links->port()};
    client.send(said + frame(1, 1, "never"));
    CHECK(run_until(loop, [&] { return client.ended(); }));
    CHECK(client.received().empty());
    CHECK(one.got.empty());
}

TEST_CASE("After its hello, a length that no frame has ends a connection") {
    UvLoop loop;
    Node one{loop, 1, {{2, loopback(1)}}, 0, [](auto& options) { options.max_frame = 100; }};
    const std::string hello = encode(Hello{2, cluster_hash("mini-broker")});
    const std::string length = GENERATE(std::string{"\0\0\0\0", 4}, std::string{"\0\0\0\4", 4},
                                        std::string{"\0\0\0\x65", 4}, std::string{"\xff\0\0\0", 4});
    RawClient client{loop, one.links->port()};
    client.send(hello + frame(1, 1, "good") + length);
    CHECK(run_until(loop, [&] { return client.ended(); }));
    CHECK(client.received() == encode(Hello{1, cluster_hash("mini-broker")}));
    CHECK(one.got == std::vector<Got>{{2, 1, 1, "good"}});
}

TEST_CASE("A hello and frames may come byte by byte") {
    UvLoop loop;
    Node one{loop, 1, {{2, loopback(1)}}};
    RawClient client{loop, one.links->port()};
    REQUIRE(run_until(loop, [&] { return client.connected(); }));
    const std::string all =
        encode(Hello{2, cluster_hash("mini-broker")}) + frame(1, 1, "a") + frame(1, 2, "b");
    std::size_t sent = 0;
    const auto hook = loop.at_end_of_turn([&] {
        if (sent < all.size() && client.pending() == 0) client.send(all.substr(sent++, 1));
    });
    CHECK(run_until(loop, [&] { return one.got.size() == 2; }));
    loop.remove_hook(hook);
}

TEST_CASE("Whoever says nothing is disconnected in time, and too many of them at once") {
    UvLoop loop;
    Node one{loop, 1, {{2, loopback(1)}}, 0, [](auto& options) {
                 options.hello_limit = Millis{50};
                 options.max_unidentified = 2;
             }};
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 4; ++i)
        clients.push_back(std::make_unique<RawClient>(loop, one.links->port()));
    const auto ended = [&] {
        return std::count_if(clients.begin(), clients.end(), [](auto& c) { return c->ended(); });
    };
    CHECK(run_until(loop, [&] { return ended() == 4; }));
    CHECK(one.log.lines.find("cause=\"too many without a hello\"") != std::string::npos);
    CHECK(one.log.lines.find("no hello in time") != std::string::npos);
}

TEST_CASE(
    "A link to another cluster or to another node does not come up, and once it is said why") {
    UvLoop loop;
    const bool other_cluster = GENERATE(true, false);
    Node two{loop, other_cluster ? 2 : 3, {{1, loopback(1)}}, 0, [&](auto& options) {
                 if (other_cluster) options.cluster = "another";
             }};
    Node one{loop, 1, {{2, loopback(two.links->port())}}};
    run_for(loop, Millis{50});
    CHECK(one.ups == 0);
    CHECK_FALSE(one.links->connected(2));
    // Of another cluster nobody says more than that; the other side logs it.
    const std::string said = other_cluster ? "cannot reach node 2" : "what answers for node 2";
    const std::size_t at = one.log.lines.find(said);
    REQUIRE(at != std::string::npos);
    CHECK(one.log.lines.find(said, at + 1) == std::string::npos); // however often it was tried
    const std::string& whose = other_cluster ? two.log.lines : one.log.lines;
    const std::string why = other_cluster ? "it is of another cluster" : "it is another node";
    CHECK(whose.find(fmt::format("cause=\"{}\"", why)) != std::string::npos);
}

TEST_CASE("A node that connects again takes the place of its old connection") {
    UvLoop loop;
    Node one{loop, 1, {{2, loopback(1)}}};
    const std::string hello = encode(Hello{2, cluster_hash("mini-broker")});
    RawClient old{loop, one.links->port()};
    old.send(hello);
    REQUIRE(run_until(loop, [&] { return !old.received().empty(); }));
    RawClient fresh{loop, one.links->port()};
    fresh.send(hello + frame(1, 1, "here"));
    CHECK(run_until(loop, [&] { return old.ended() && one.got.size() == 1; }));
    CHECK_FALSE(fresh.ended());
}

TEST_CASE("A host name is resolved, and one that nobody knows is tried again") {
    UvLoop loop;
    Node two{loop, 2, {{1, loopback(1)}}};
    Node one{loop, 1, {{2, {"no-such-host.invalid", 1}}}};
    run_for(loop, Millis{30});
    CHECK_FALSE(one.links->connected(2));
    one.links->set_address(2, {"localhost", two.links->port()});
    CHECK(run_until(loop, [&] { return one.links->connected(2); }));
}

TEST_CASE("A port that is taken is an error that names it") {
    UvLoop loop;
    Node one{loop, 1, {}};
    KeptLog log;
    CHECK_THROWS_AS(PeerLinks(loop, log.logger,
                              {.self = 2, .listen = loopback(one.links->port()), .peers = {}}, {}),
                    NetError);
}
