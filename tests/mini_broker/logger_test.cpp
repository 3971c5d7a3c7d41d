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

TEST_CASE("A warning is not left out for what the same place said at another level") {
    Written log{LogFormat::text};
    for (int i = 0; i < 25; ++i) log.logger.info("{}", i);
    log.logger.warn("{}", 25);
    CHECK(log.lines.size() == Logger::kPerSecond + 1);
    CHECK(log.lines.back().ends_with("warn  node 7 25\n"));
}

TEST_CASE("What a line is about are fields of their own in JSON, beside the message of the text") {
    Written log{LogFormat::json};
    log.logger.warn({{"topic", "t"}, {"partition", 3}, {"leader_epoch", -1}, {"cause", "lag"}},
                    "node {} is late", 2);
    CHECK(log.lines.at(0) == R"({"time":"2023-11-14T22:13:20.123Z","level":"warn","node":7,)"
                             R"("message":"node 2 is late","topic":"t","partition":3,)"
                             "\"leader_epoch\":-1,\"cause\":\"lag\"}\n");
}

TEST_CASE("A field that holds any bytes leaves the JSON line one object, and the text one line") {
    for (int byte = 0; byte < 256; ++byte) {
        INFO("byte " << byte);
        const std::string bytes{'a', static_cast<char>(byte), '"', 'b'};
        Written json{LogFormat::json};
        json.logger.error({{"cause", bytes}}, "stopping");
        const std::string& line = json.lines.at(0);
        CHECK(line.find('\n') == line.size() - 1);
        const auto cause = nlohmann::json::parse(line).at("cause").get<std::string>();
        CHECK(cause == (byte < 0x80 ? bytes : "a\xef\xbf\xbd\"b"));
        Written text{LogFormat::text};
        text.logger.error({{"cause", bytes}}, "stopping");
        CHECK(text.lines.at(0).find_first_of("\n\r\x1b\x7f") == text.lines.at(0).size() - 1);
    }
}

TEST_CASE("In a text line no field passes for another, and a word is not quoted") {
    Written log{LogFormat::text};
    log.logger.info({{"topic", "t.1"}, {"cause", "no replica=2"}, {"remote", ""}}, "late");
    CHECK(log.lines.at(0).ends_with("node 7 late topic=t.1 cause=\"no replica=2\" remote=\"\"\n"));
}
