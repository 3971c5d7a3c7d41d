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

TEST_CASE("an answered heartbeat proves contact and not what is held", "[contact_log]") {
    ContactLog log;
    log.note_heartbeat_result(2, 4, kT0);
    CHECK(log.find(2, 4).at == kT0);
    CHECK_FALSE(log.find(2, 4).verified);
    log.note_append_result(2, 4, true, kT0 + 1s);
    log.note_heartbeat_result(2, 4, kT0 + 2s);
    CHECK(log.find(2, 4).at == kT0 + 2s);
    CHECK(log.find(2, 4).verified);
}

TEST_CASE("a member that was removed and added again in one term starts anew", "[contact_log]") {
    ContactLog log;
    log.note_append_result(2, 4, true, kT0);
    log.note_append_result(3, 4, true, kT0);
    log.forget(3);
    CHECK(log.find(3, 4).at == kNever);
    CHECK_FALSE(log.find(3, 4).verified);
    CHECK(log.find(2, 4).verified);

    log.admit(3);
    CHECK(log.find(3, 4).at == kNever);
    log.note_heartbeat_result(3, 4, kT0 + 2s);
    CHECK(log.find(3, 4).at == kT0 + 2s);
    CHECK_FALSE(log.find(3, 4).verified);
    log.note_append_result(3, 4, true, kT0 + 3s);
    CHECK(log.find(3, 4).verified);
}

TEST_CASE("a late answer of a removed member counts for nothing", "[contact_log]") {
    ContactLog log;
    log.forget(3); // never heard of, and its first answer is on the way
    log.note_append_result(3, 4, true, kT0);
    CHECK(log.find(3, 4).at == kT0); // a term that began later: it is a member of that
    log.forget(3);
    log.note_append_result(3, 4, true, kT0 + 1s);
    log.note_heartbeat_result(3, 4, kT0 + 2s);
    log.admit(3);
    CHECK(log.find(3, 4).at == kNever);
    CHECK_FALSE(log.find(3, 4).verified);
}

TEST_CASE("to admit a member that was never forgotten changes nothing", "[contact_log]") {
    ContactLog log;
    log.note_append_result(2, 4, true, kT0);
    log.admit(2);
    log.admit(3);
    CHECK(log.find(2, 4).verified);
    CHECK(log.find(3, 4).at == kNever);
}

TEST_CASE("an answer of a newer term than the one led changes nothing", "[contact_log]") {
    ContactLog log;
    log.lead(4);
    log.note_append_result(2, 4, true, kT0);
    log.note_append_result(3, 5, true, kT0 + 1s); // a pre-vote that was taken for a contact
    log.note_heartbeat_result(3, 5, kT0 + 1s);
    log.note_append_result(3, 3, true, kT0 + 1s);
    log.lead(4);
    CHECK(log.find(2, 4).at == kT0);
    CHECK(log.find(2, 4).verified);
    CHECK(log.find(3, 4).at == kNever);
    CHECK(log.find(3, 5).at == kNever);
}

TEST_CASE("to lead in another term, a lower one too, forgets all", "[contact_log]") {
    ContactLog log;
    log.lead(7);
    log.note_append_result(2, 7, true, kT0);
    log.lead(4); // it joined a group whose terms are lower
    CHECK(log.find(2, 7).at == kNever);
    log.note_append_result(2, 4, true, kT0 + 1s);
    CHECK(log.find(2, 4).at == kT0 + 1s);
    log.lead(7);
    CHECK(log.find(2, 4).at == kNever);
    CHECK(log.find(2, 7).at == kNever);
}
