#include "io/real_disk.hpp"

#include "mini_broker/log/temporary_directory.hpp"

#include <catch2/catch_test_macros.hpp>
#include <sys/resource.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using log_test::TemporaryDirectory;
using mini_broker::DiskError;
using mini_broker::File;
using mini_broker::RealDisk;
using Names = std::vector<std::string>;

std::string content(const File& file) {
    std::string bytes(static_cast<std::size_t>(file.size()) + 10, '\0');
    bytes.resize(file.read(0, bytes.data(), bytes.size()));
    return bytes;
}

void append(File& file, std::string_view bytes) {
    const std::array parts{bytes};
    file.append(parts);
}

TEST_CASE("A file holds its parts in order, also when there are more than one call takes",
          "[mini_broker][disk]") {
    const TemporaryDirectory directory;
    RealDisk disk{directory.path()};
    const auto file = disk.open("file");
    std::string due;
    std::vector<std::string> bytes;
    for (int i = 0; i < 3000; ++i) bytes.push_back(i % 7 == 0 ? "" : std::to_string(i));
    std::vector<std::string_view> parts;
    for (const std::string& part : bytes) {
        parts.push_back(part);
        due += part;
    }
    file->append(parts);
    CHECK(content(*file) == due);
    append(*file, "end");
    file->sync();
    CHECK(file->size() == due.size() + 3);
    CHECK(content(*disk.open("file")) == due + "end");
}

TEST_CASE("A file reads fewer bytes only at its end, and grows where it was cut",
          "[mini_broker][disk]") {
    const TemporaryDirectory directory;
    RealDisk disk{directory.path()};
    const auto file = disk.open("file");
    append(*file, "0123456789");
    std::array<char, 4> into{};
    CHECK(file->read(3, into.data(), 4) == 4);
    CHECK(std::string_view{into.data(), 4} == "3456");
    CHECK(file->read(8, into.data(), 4) == 2);
    CHECK(file->read(10, into.data(), 4) == 0);
    CHECK(file->read(1000, into.data(), 4) == 0);
    file->truncate(4);
    CHECK(file->size() == 4);
    append(*file, "x");
    file->sync();
    CHECK(content(*file) == "0123x");
}

TEST_CASE("A small file is replaced as a whole, and what was unfinished is not seen",
          "[mini_broker][disk]") {
    const TemporaryDirectory directory;
    RealDisk disk{directory.path()};
    CHECK_FALSE(disk.read_whole("meta"));
    disk.replace("meta", "one");
    CHECK(disk.read_whole("meta") == "one");
    disk.replace("meta", "");
    CHECK(disk.read_whole("meta") == "");
    std::ofstream{directory.path() + "/meta.tmp"} << "left by a crash, and longer";
    CHECK(disk.list("") == Names{"meta"});
    disk.replace("meta", "two");
    CHECK(disk.read_whole("meta") == "two");
}

TEST_CASE("Directories are made with their parents, listed in order and removed with all in them",
          "[mini_broker][disk]") {
    const TemporaryDirectory directory;
    RealDisk disk{directory.path() + "/not/there/yet"};
    disk.make_directory("a/b/c");
    disk.make_directory("a/b/c");
    (void)disk.open("a/b/2");
    (void)disk.open("a/b/1");
    disk.sync_directory("a/b");
    CHECK(disk.list("a/b") == Names{"1", "2", "c"});
    CHECK(disk.list("nowhere").empty());
    disk.remove("a/b/1");
    disk.remove("a/b/1");
    CHECK(disk.list("a/b") == Names{"2", "c"});
    disk.remove_directory("a");
    disk.remove_directory("a");
    CHECK(disk.list("").empty());
}

TEST_CASE("A failure tells the path and the system's reason", "[mini_broker][disk]") {
    const TemporaryDirectory directory;
    RealDisk disk{directory.path()};
    disk.make_directory("folder");
    const auto tells = [](const auto& call, std::string_view path, std::string_view reason) {
        try {
            call();
        } catch (const DiskError& error) {
            const std::string_view message = error.what();
            return message.find(path) != message.npos && message.find(reason) != message.npos;
        }
        return false;
    };
    CHECK(tells([&] { (void)disk.open("folder"); }, "/folder", "Is a directory"));
    CHECK(tells([&] { (void)disk.open("no/file"); }, "/no/file", "No such file"));
    CHECK(tells([&] { (void)disk.remove("folder"); }, "/folder", ""));
    CHECK(tells([&] { (void)disk.replace("folder", "x"); }, "/folder", ""));
    CHECK(tells([&] { (void)disk.read_whole("folder"); }, "/folder", "directory"));
    CHECK(tells([&] { (void)disk.sync_directory("no"); }, "/no", "No such file"));
    (void)disk.open("plain");
    CHECK(tells([&] { (void)disk.list("plain"); }, "/plain", "Not a directory"));
    CHECK(tells([&] { (void)disk.make_directory("plain/x"); }, "/plain", "directory"));
}

TEST_CASE("A file that may not grow throws, and its size stays what it was",
          "[mini_broker][disk]") {
    const TemporaryDirectory directory;
    RealDisk disk{directory.path()};
    const auto file = disk.open("file");
    append(*file, std::string(4000, 'a'));
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit small = before;
    small.rlim_cur = 5000;
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    // The first 1000 bytes go, the rest does not: a short write, then an error.
    CHECK_THROWS_AS(append(*file, std::string(4000, 'b')), DiskError);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    std::signal(SIGXFSZ, handler);
    CHECK(file->size() == 4000);
    append(*file, std::string(4000, 'c'));
    CHECK(content(*file) == std::string(4000, 'a') + std::string(4000, 'c'));
}

} // namespace
