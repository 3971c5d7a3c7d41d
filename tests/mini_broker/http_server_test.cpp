#include "http/metrics.hpp"
#include "http/server.hpp"
#include "mini_broker/support/sockets.hpp"

#include <catch2/catch_test_macros.hpp>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <memory>
#include <stdexcept>
#include <string>

using namespace mini_broker;
using namespace mini_broker::testing;

namespace {

/// The whole answer, head and body.
std::string get(const HttpServer& server, const std::string& path) {
    UvLoop loop;
    RawClient client{loop, server.port()};
    client.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    run_until(loop, [&] { return client.ended(); });
    return client.received();
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("Pages are served at their paths with their status and type, and no others are") {
    HttpServer server{
        loopback(0),
        {{"/health", [] { return HttpAnswer{R"({"ok":false})", "application/json", 503}; }},
         {"/broken", []() -> HttpAnswer { throw std::runtime_error{"secret"}; }}}};
    const std::string health = get(server, "/health");
    CHECK(has(health, "HTTP/1.1 503"));
    CHECK(has(health, "Content-Type: application/json"));
    CHECK(health.ends_with("\r\n\r\n{\"ok\":false}"));
    CHECK(has(get(server, "/nothing"), "HTTP/1.1 404"));
    const std::string broken = get(server, "/broken");
    CHECK(has(broken, "HTTP/1.1 500"));
    CHECK_FALSE(has(broken, "secret"));
}

TEST_CASE("The metrics page has the families of every collectable as Prometheus reads them") {
    const auto registry = std::make_shared<prometheus::Registry>();
    auto& family = prometheus::BuildGauge().Name("mini_broker_connections").Register(*registry);
    family.Add({{"kind", "client"}}).Set(3);
    const auto other = std::make_shared<prometheus::Registry>();
    prometheus::BuildGauge().Name("chronik_raft_isr_size").Register(*other).Add({}).Set(2);
    HttpServer server{loopback(0), {{"/metrics", [&] { return metrics_page({registry, other}); }}}};
    const std::string answer = get(server, "/metrics");
    CHECK(has(answer, "Content-Type: text/plain; version=0.0.4"));
    CHECK(has(answer, "mini_broker_connections{kind=\"client\"} 3\n"));
    CHECK(has(answer, "chronik_raft_isr_size 2\n"));
}

TEST_CASE("A port that is taken is an error, and free again once the server is gone") {
    auto first = std::make_unique<HttpServer>(loopback(0), HttpServer::Pages{});
    const Address taken = loopback(first->port());
    CHECK_THROWS_AS(HttpServer(taken, {}), NetError);
    first.reset();
    CHECK_NOTHROW(HttpServer(taken, {}));
}

TEST_CASE("A server that is stopped at once stops") {
    for (int i = 0; i < 20; ++i) HttpServer server{loopback(0), {}};
    SUCCEED();
}
