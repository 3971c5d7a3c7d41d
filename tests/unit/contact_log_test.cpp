#include <insync/adapters/contact_log.hpp>
#include <insync/types.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>

using namespace std::chrono_literals;
using insync::ContactLog;
using insync::kNever;
using insync::NodeId;

namespace {
constexpr insync::TimePoint kT0{100s};
}

TEST_CASE("a contact log tells when a server last answered in the term", "[contact_log]") {
    ContactLog log;
    CHECK(log.find(2, 4).at == kNever);
    log.note_append_result(2, 4, true, kT0);
    log.note_append_result(3, 4, true, kT0 + 1s);
    CHECK(log.find(2, 4).at == kT0);
    CHECK(log.find(3, 4).at == kT0 + 1s);
    log.note_append_result(2, 4, true, kT0 + 2s);
    log.note_append_result(2, 4, true, kT0 + 1s); // noted out of order
    CHECK(log.find(2, 4).at == kT0 + 2s);
}

TEST_CASE("a rejection proves contact and not what is held", "[contact_log]") {
    ContactLog log;
    log.note_append_result(2, 4, false, kT0);
    CHECK(log.find(2, 4).at == kT0);
    CHECK_FALSE(log.find(2, 4).verified);
    log.note_append_result(2, 4, true, kT0 + 1s);
    CHECK(log.find(2, 4).verified);
    log.note_append_result(2, 4, false, kT0 + 2s);
    CHECK(log.find(2, 4).verified);
}

TEST_CASE("a contact log knows nothing of any other term than its newest", "[contact_log]") {
    ContactLog log;
    log.note_append_result(2, 4, true, kT0);
    CHECK(log.find(2, 3).at == kNever);
    CHECK(log.find(2, 5).at == kNever);
    CHECK_FALSE(log.find(2, 5).verified);

    log.note_append_result(3, 5, true, kT0 + 1s);
    CHECK(log.find(2, 5).at == kNever);
    log.note_append_result(2, 4, true, kT0 + 9s); // a late answer of the old term
    CHECK(log.find(2, 5).at == kNever);
    CHECK(log.find(2, 4).at == kNever);
    CHECK(log.find(3, 5).at == kT0 + 1s);
}

TEST_CASE("a contact log that is full of removed servers still takes a new one", "[contact_log]") {
    ContactLog log;
    for (NodeId node = 1; node <= 30; ++node) log.note_append_result(node, 1, true, kT0 + 1s);
    log.note_append_result(30, 1, true, kT0 + 5s);
    log.note_append_result(31, 1, true, kT0 + 5s);
    CHECK(log.find(31, 1).at == kT0 + 5s);
    CHECK(log.find(30, 1).at == kT0 + 5s);
}
