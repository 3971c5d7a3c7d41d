#include "net/kafka_server.hpp"

#include "mini_broker/support/server.hpp"
#include "mini_broker/support/sockets.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <sys/resource.h>

#include <algorithm>
#include <any>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace mini_broker;
using namespace mini_broker::testing;

TEST_CASE("Requests of a connection are handled one at a time, and answered in order") {
    UvLoop loop;
    Server server{loop};
    RawClient client{loop, server.port()};
    client.send(framed("one.") + framed("two.") + framed("three"));
    REQUIRE(run_until(loop, [&] { return server.requests.size() == 1; }));
    run_for(loop, Millis{20});
    CHECK(server.requests.size() == 1);
    server.replies[0]({.bytes = "first", .close_after = false});
    REQUIRE(server.requests.size() == 2);
    server.replies[1]({.bytes = "second", .close_after = false});
    server.replies[2]({.bytes = "third", .close_after = false});
    CHECK(server.requests == std::vector<std::string>{"one.", "two.", "three"});
    const std::string expected = framed("first") + framed("second") + framed("third");
    CHECK(run_until(loop, [&] { return client.received() == expected; }));
}

TEST_CASE("Connections do not wait for one another") {
    UvLoop loop;
    Server server{loop};
    RawClient one{loop, server.port()};
    RawClient two{loop, server.port()};
    one.send(framed("slow"));
    REQUIRE(run_until(loop, [&] { return server.requests.size() == 1; }));
    two.send(framed("quick"));
    REQUIRE(run_until(loop, [&] { return server.requests.size() == 2; }));
    server.replies[1]({.bytes = "done", .close_after = false});
    CHECK(run_until(loop, [&] { return two.received() == framed("done"); }));
    CHECK(one.received().empty());
    CHECK(server.ids[0] != server.ids[1]);
}

TEST_CASE("An empty answer sends nothing and lets the next request in") {
    UvLoop loop;
    Server server{loop};
    RawClient client{loop, server.port()};
    client.send(framed("acks=0") + framed("next"));
    REQUIRE(run_until(loop, [&] { return server.requests.size() == 1; }));
    server.replies[0]({});
    REQUIRE(server.requests.size() == 2);
    server.replies[1]({.bytes = "answer", .close_after = false});
    CHECK(run_until(loop, [&] { return client.received() == framed("answer"); }));
}

TEST_CASE("A second answer, and one after the client has gone, are ignored") {
    UvLoop loop;
    Server server{loop};
    auto client = std::make_unique<RawClient>(loop, server.port());
    client->send(framed("one.") + framed("two."));
    REQUIRE(run_until(loop, [&] { return server.requests.size() == 1; }));
    const Reply first = server.replies[0];
    CHECK(first.wanted());
    first({.bytes = "a", .close_after = false});
    CHECK_FALSE(first.wanted());
    first({.bytes = "b", .close_after = true});
    REQUIRE(run_until(loop, [&] { return client->received() == framed("a"); }));
    const Reply second = server.replies[1];
    CHECK(second.wanted());
    client.reset();
    REQUIRE(run_until(loop, [&] { return server.closed.size() == 1; }));
    CHECK_FALSE(second.wanted());
    second({.bytes = "late", .close_after = false});
    server.server.reset();
    second({.bytes = "later", .close_after = false});
    CHECK(server.closed == std::vector<std::uint64_t>{server.ids[0]});
}

TEST_CASE("Close-after ends the connection once its answer is sent, and no request is begun") {
    UvLoop loop;
    Server server{loop};
    RawClient client{loop, server.port()};
    client.send(framed("bad request") + framed("another"));
    REQUIRE(run_until(loop, [&] { return server.requests.size() == 1; }));
    const std::string large(3u << 20, 'x');
    server.replies[0]({.bytes = large, .close_after = true});
    CHECK(run_until(loop, [&] { return client.ended(); }));
    CHECK(client.received() == framed(large));
    CHECK(server.requests.size() == 1);
}

TEST_CASE("A length that no request has ends the connection") {
    UvLoop loop;
    ConnectionLimits limits;
    limits.max_frame = 1000;
    Server server{loop, limits, true};
    const std::string length = GENERATE(
        std::string{"\0\0\0\0", 4}, std::string{"\0\0\0\3", 4}, std::string{"\0\0\3\xe9", 4},
        std::string{"\x7f\xff\xff\xff", 4}, std::string{"\xff\xff\xff\xff", 4},
        std::string{"\x80\0\0\0", 4}, std::string{"GET / HTTP/1.1\r\n\r\n"});
    RawClient client{loop, server.port()};
    client.send(framed("good") + length);
    CHECK(run_until(loop, [&] { return client.ended(); }));
    CHECK(client.received() == framed("good"));
    CHECK(server.requests == std::vector<std::string>{"good"});
}

TEST_CASE("No limit above a hundred MiB is taken seriously") {
    UvLoop loop;
    ConnectionLimits limits;
    limits.max_frame = 0xffffffff;
    Server server{loop, limits, true};
    RawClient client{loop, server.port()};
    client.send(std::string{"\x06\x40\0\1", 4});
    CHECK(run_until(loop, [&] { return client.ended(); }));
}

TEST_CASE("The longest and the shortest request that are allowed are handled") {
    UvLoop loop;
    ConnectionLimits limits;
    limits.max_frame = 3u << 20;
    Server server{loop, limits, true};
    RawClient client{loop, server.port()};
    const std::string longest(3u << 20, 'x');
    client.send(framed(longest) + framed("abcd"));
    const std::string expected = framed(longest) + framed("abcd");
    CHECK(run_until(loop, [&] { return client.received().size() == expected.size(); }));
    CHECK(client.received() == expected);
}

TEST_CASE("Thousands of requests at once are answered in order without deep recursion") {
    UvLoop loop;
    Server server{loop, {}, true};
    RawClient client{loop, server.port()};
    std::string all;
    for (int i = 0; i < 50'000; ++i) all += framed("request " + std::to_string(i));
    client.send(all);
    CHECK(run_until(loop, [&] { return client.received().size() == all.size(); }));
    CHECK(client.received() == all);
}

TEST_CASE("What comes behind a request that is not answered waits with the client") {
    UvLoop loop;
    Server server{loop};
    RawClient client{loop, server.port()};
    client.send(framed("slow") + std::string(64u << 20, '\1'));
    REQUIRE(run_until(loop, [&] { return server.requests.size() == 1; }));
    run_for(loop, Millis{100});
    CHECK(client.pending() > 0); // the kernel's buffers hold a few MiB, ours next to nothing
    CHECK_FALSE(client.ended());
}

TEST_CASE("A client that does not read its answers is cut off") {
    UvLoop loop;
    ConnectionLimits limits;
    limits.write_deadline = Millis{100};
    Server server{loop, limits};
    RawClient client{loop, server.port(), false};
    client.send(framed("fetch"));
    REQUIRE(run_until(loop, [&] { return server.requests.size() == 1; }));
    server.replies[0]({.bytes = std::string(64u << 20, 'x'), .close_after = false});
    CHECK(run_until(loop, [&] { return server.closed.size() == 1; }));
    CHECK(server.server->connections() == 0);
    CHECK(server.log.lines.find("does not read its answers") != std::string::npos);
}

TEST_CASE("While much waits to be sent, no further request is begun; later it is") {
    UvLoop loop;
    Server server{loop};
    RawClient client{loop, server.port(), false};
    client.send(framed("fetch") + framed("next"));
    REQUIRE(run_until(loop, [&] { return server.requests.size() == 1; }));
    server.replies[0]({.bytes = std::string(64u << 20, 'x'), .close_after = false});
    run_for(loop, Millis{50});
    CHECK(server.requests.size() == 1);
    client.read(true);
    CHECK(run_until(loop, [&] { return server.requests.size() == 2; }));
}

TEST_CASE("Connections end when they are idle, and when a request does not end") {
    UvLoop loop;
    ConnectionLimits limits;
    const bool idle = GENERATE(true, false);
    (idle ? limits.idle : limits.frame_deadline) = Millis{50};
    Server server{loop, limits, true};
    RawClient client{loop, server.port()};
    client.send(framed("good"));
    if (!idle)
        client.send(
            std::string{"\0\0\0\x09"
                        "begin",
                        9});
    CHECK(run_until(loop, [&] { return client.ended(); }));
    CHECK(client.received() == framed("good"));
    CHECK(server.log.lines.find(idle ? "idle" : "does not end") != std::string::npos);
}

TEST_CASE("More connections than allowed are refused, and a place that is free again is given") {
    UvLoop loop;
    ConnectionLimits limits;
    limits.max_connections = 2;
    Server server{loop, limits, true};
    RawClient one{loop, server.port()};
    auto two = std::make_unique<RawClient>(loop, server.port());
    REQUIRE(run_until(loop, [&] { return server.server->connections() == 2; }));
    RawClient three{loop, server.port()};
    REQUIRE(run_until(loop, [&] { return three.ended(); }));
    CHECK(server.endings == std::vector{Ending::too_many});
    two.reset();
    REQUIRE(run_until(loop, [&] { return server.server->connections() == 1; }));
    RawClient four{loop, server.port()};
    four.send(framed("hello"));
    CHECK(run_until(loop, [&] { return four.received() == framed("hello"); }));
}

TEST_CASE("Who connects before the server serves is refused, though its port is taken") {
    UvLoop loop;
    KeptLog log;
    const auto make = [&](std::uint16_t port) {
        return std::make_unique<KafkaServer>(
            loop, log.logger, KafkaServerOptions{.listen = loopback(port), .limits = {}},
            [](ConnectionInfo&, std::string, Reply) {});
    };
    const auto server = make(0);
    RawClient early{loop, server->port()};
    REQUIRE(run_until(loop, [&] { return early.ended(); }));
    server->serve();
    CHECK_THROWS_AS(make(server->port()), NetError);
    RawClient client{loop, server->port()};
    CHECK(run_until(loop, [&] { return server->connections() == 1; }));
}

TEST_CASE("A handler may keep what it wants with a connection") {
    UvLoop loop;
    KeptLog log;
    KafkaServer server{loop,
                       log.logger,
                       {.listen = loopback(0), .limits = {}},
                       [](ConnectionInfo& info, std::string, Reply reply) {
                           if (!info.state.has_value()) info.state = 0;
                           const int count = ++std::any_cast<int&>(info.state);
                           reply({.bytes = std::to_string(count), .close_after = false});
                       }};
    server.serve();
    RawClient client{loop, server.port()};
    client.send(framed("once") + framed("twice"));
    CHECK(run_until(loop, [&] { return client.received() == framed("1") + framed("2"); }));
}

TEST_CASE("When no file can be opened, clients are turned away, and served once there can") {
    UvLoop loop;
    Server server{loop, {}, true};
    RawClient before{loop, server.port()};
    REQUIRE(run_until(loop, [&] { return server.server->connections() == 1; }));
    rlimit limit{};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    {
        // Its socket is there before the files run out.
        RawClient during{loop, server.port()};
        const rlimit none{3, limit.rlim_max};
        REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
        run_for(loop, Millis{50});
        CHECK(server.server->connections() == 1);
        REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    }
    before.send(framed("still here"));
    CHECK(run_until(loop, [&] { return before.received() == framed("still here"); }));
    std::optional<RawClient> after;
    const bool served = run_until(loop, [&] {
        if (!after || after->ended()) after.emplace(loop, server.port()).send(framed("again"));
        return after->received() == framed("again");
    });
    CHECK(served);
}
