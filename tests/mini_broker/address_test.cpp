#include "net/address.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using namespace mini_broker;

TEST_CASE("An address is a host and a port, and is written as it is read") {
    CHECK(parse_address("localhost:9092") == Address{"localhost", 9092});
    CHECK(parse_address("[::1]:0") == Address{"::1", 0});
    for (const char* text : {"127.0.0.1:1", "[2001:db8::1]:65535", "a-b.example:80"})
        CHECK(to_string(parse_address(text).value()) == text);
}

TEST_CASE("What is no address is refused") {
    for (const char* text : {"", ":", "host", "host:", ":1", "host:65536", "host:-1", "host:1x",
                             "host: 1", "::1:9092", "[]:1", "[::1:1", "host:+1"})
        CHECK_FALSE(parse_address(text));
    CHECK_FALSE(parse_address(std::string(300, 'a') + ":1"));
}

TEST_CASE("Loopback is what only this machine reaches") {
    for (const char* host : {"127.0.0.1", "127.9.8.7", "::1", "localhost"})
        CHECK(is_loopback({host, 1}));
    for (const char* host : {"0.0.0.0", "::", "192.0.2.1", "2001:db8::1", "no-such-host.invalid"})
        CHECK_FALSE(is_loopback({host, 1}));
}
