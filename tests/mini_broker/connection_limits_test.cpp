// What clients may hold of a server, and for how long.

#include "mini_broker/support/server.hpp"
#include "mini_broker/support/sockets.hpp"

#include <arpa/inet.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

using namespace mini_broker;
using namespace mini_broker::testing;

namespace {

/// A connection that comes from an address of the test's choice.
class From {
public:
    From(const char* source, std::uint16_t port) : descriptor_(socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in own = address(source, 0);
        sockaddr_in to = address("127.0.0.1", port);
        REQUIRE(bind(descriptor_, reinterpret_cast<sockaddr*>(&own), sizeof own) == 0);
        REQUIRE(connect(descriptor_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    }
    ~From() { close(descriptor_); }
    From(const From&) = delete;
    From& operator=(const From&) = delete;

private:
    static sockaddr_in address(const char* host, std::uint16_t port) {
        sockaddr_in made{};
        made.sin_family = AF_INET;
        made.sin_port = htons(port);
        REQUIRE(inet_pton(AF_INET, host, &made.sin_addr) == 1);
        return made;
    }

    int descriptor_;
};

/// The beginning of a request of so many bytes.
std::string begun(std::size_t size, std::size_t sent) {
    return framed(std::string(size, 'x')).substr(0, 4 + sent);
}

} // namespace

TEST_CASE("One address gets no more than its share, and others are served") {
    UvLoop loop;
    ConnectionLimits limits;
    limits.max_per_host = 2;
    Server server{loop, limits, true};
    auto one = std::make_unique<From>("127.0.0.2", server.port());
    const From two{"127.0.0.2", server.port()};
    REQUIRE(run_until(loop, [&] { return server.server->connections() == 2; }));
    const From three{"127.0.0.2", server.port()};
    REQUIRE(run_until(loop, [&] { return !server.endings.empty(); }));
    CHECK(server.endings == std::vector{Ending::too_many_of_host});
    RawClient other{loop, server.port()};
    other.send(framed("hello"));
    CHECK(run_until(loop, [&] { return other.received() == framed("hello"); }));
    one.reset();
    REQUIRE(run_until(loop, [&] { return server.endings.size() == 2; }));
    const From four{"127.0.0.2", server.port()};
    CHECK(run_until(loop, [&] { return server.server->connections() == 3; }));
}

TEST_CASE("A client that never sends a whole request is closed, and one that has is not") {
    UvLoop loop;
    ConnectionLimits limits;
    limits.first_deadline = Millis{50};
    Server server{loop, limits, true};
    RawClient served{loop, server.port()};
    served.send(framed("hello"));
    RawClient client{loop, server.port()};
    client.send(GENERATE(std::string{}, std::string{"\0\0", 2}, begun(9, 5)));
    CHECK(run_until(loop, [&] { return client.ended(); }));
    CHECK(server.endings == std::vector{Ending::no_request});
    run_for(loop, Millis{100});
    CHECK_FALSE(served.ended());
}

TEST_CASE("When requests that arrive hold too much, the largest gives way") {
    UvLoop loop;
    ConnectionLimits limits;
    limits.max_held = 1u << 20;
    Server server{loop, limits, true};
    RawClient small{loop, server.port()};
    RawClient large{loop, server.port()};
    large.send(begun(4u << 20, 600'000));
    REQUIRE(run_until(loop, [&] { return server.server->held() >= 600'000; }));
    small.send(begun(200'000, 199'999));
    CHECK(run_until(loop, [&] { return server.server->held() >= 800'000 || large.ended(); }));
    large.send(std::string(500'000, 'x'));
    CHECK(run_until(loop, [&] { return large.ended(); }));
    CHECK(server.endings == std::vector{Ending::too_much_memory});
    CHECK(server.server->held() <= limits.max_held);
    small.send("x");
    CHECK(run_until(loop, [&] { return small.received().size() == 200'004; }));
    CHECK(server.server->held() <= 128u << 10);
}

TEST_CASE("Requests in hand and answers that are not read count as held") {
    UvLoop loop;
    ConnectionLimits limits;
    limits.max_held = 8u << 20;
    Server server{loop, limits};
    RawClient client{loop, server.port(), false};
    client.send(framed(std::string(1u << 20, 'x')));
    REQUIRE(run_until(loop, [&] { return server.requests.size() == 1; }));
    CHECK(server.server->held() >= 1u << 20);
    // What the kernel takes in is no longer ours.
    server.replies[0]({.bytes = std::string(16u << 20, 'y'), .close_after = false});
    CHECK(server.endings == std::vector{Ending::too_much_memory});
    CHECK(server.server->held() == 0);
}

TEST_CASE("What a large request took is let go of once it is answered") {
    UvLoop loop;
    Server server{loop, {}, true};
    RawClient client{loop, server.port()};
    const std::string large = framed(std::string(1u << 20, 'x'));
    client.send(large);
    REQUIRE(run_until(loop, [&] { return client.received() == large; }));
    CHECK(server.server->held() <= 64u << 10);
}

TEST_CASE("Who waits for an answer is told when the client has gone, and not once it is answered") {
    UvLoop loop;
    Server server{loop};
    auto client = std::make_unique<RawClient>(loop, server.port());
    client->send(framed("one.") + framed("two."));
    REQUIRE(run_until(loop, [&] { return server.requests.size() == 1; }));
    int told = 0;
    server.replies[0].when_gone([&] { told += 100; });
    server.replies[0]({.bytes = "a", .close_after = false});
    server.replies[1].when_gone([&] { ++told; });
    server.replies[0].when_gone([&] { told += 10; }); // answered long ago
    client.reset();
    REQUIRE(run_until(loop, [&] { return server.closed.size() == 1; }));
    CHECK(told == 1);
    server.replies[1].when_gone([&] { told += 1000; });
    CHECK(told == 1);
}
