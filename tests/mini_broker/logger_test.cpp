#include "logger.hpp"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace mini_broker;

namespace {

struct Written {
    explicit Written(LogFormat format)
        : logger(
              format,
              7,
              LogLevel::info,
              [this](std::string_view line) { lines.emplace_back(line); },
              [this] { return wall_ms; }) {}

    std::int64_t wall_ms = 1'700'000'000'123;
    std::vector<std::string> lines;
    Logger logger;
};

} // namespace

TEST_CASE(
    "A text line has UTC time, level, node and message, and what is below the level has none") {
    Written log{LogFormat::text};
    log.logger.debug("not this");
    log.logger.warn("lost node {}", 3);
    CHECK(log.lines ==
          std::vector<std::string>{"2023-11-14T22:13:20.123Z warn  node 7 lost node 3\n"});
}

TEST_CASE("What a client sent cannot begin a line of its own") {
    Written log{LogFormat::text};
    log.logger.info("client '{}'", "a\nb\x1b[2J");
    CHECK(log.lines.at(0).ends_with("client 'a\\x0ab\\x1b[2J'\n"));
}

TEST_CASE("A JSON line is one object, whatever bytes are in the message") {
    Written log{LogFormat::json};
    log.logger.error("bad \"name\" {}\n", "\xff\xfe");
    const std::string& line = log.lines.at(0);
    CHECK(line.find('\n') == line.size() - 1);
    const auto json = nlohmann::json::parse(line);
    CHECK(json.at("level") == "error");
    CHECK(json.at("node") == 7);
    CHECK(json.at("time") == "2023-11-14T22:13:20.123Z");
    CHECK(json.at("message").get<std::string>().starts_with("bad \"name\" "));
}

TEST_CASE("One place says ten lines a second at most, and then how many it left out") {
    Written log{LogFormat::text};
    for (int i = 0; i < 25; ++i) log.logger.warn("again {}", i);
    log.logger.warn("another place");
    CHECK(log.lines.size() == Logger::kPerSecond + 1);
    log.wall_ms += 1000;
    log.logger.warn("again {}", 25);
    CHECK(log.lines.back().ends_with("again 25 (15 like this left out)\n"));
    log.logger.warn("again {}", 26);
    CHECK(log.lines.back().ends_with("again 26\n"));
}
