#include <insync/detail/reuse_guard.hpp>

#include <catch2/catch_test_macros.hpp>

using insync::detail::ReuseGuard;

TEST_CASE("a look that nobody disturbs is taken at once", "[reuse_guard]") {
    const ReuseGuard guard;
    int looks = 0;
    CHECK(guard.read([&] { return ++looks; }) == 1);
}

TEST_CASE("a look during which memory was used again is repeated", "[reuse_guard]") {
    ReuseGuard guard;
    int looks = 0;
    const int seen = guard.read([&] {
        if (++looks < 3) CHECK(guard.may_reuse());
        return looks;
    });
    CHECK(seen == 3);
}

TEST_CASE("a read ends after a bounded number of looks, whatever writers do", "[reuse_guard]") {
    ReuseGuard guard;
    int looks = 0;
    int allowed = 0;
    (void)guard.read([&] {
        ++looks;
        if (guard.may_reuse()) ++allowed; // a writer in every look
        return looks;
    });
    CHECK(looks == ReuseGuard::kTries + 1);
    CHECK(allowed == ReuseGuard::kTries); // in the last look it holds, and nothing is used again
}

TEST_CASE("while somebody holds, no writer may use anything again", "[reuse_guard]") {
    ReuseGuard guard;
    CHECK(guard.nobody_reaches());
    {
        const ReuseGuard::Holder first{guard};
        const ReuseGuard::Holder second{guard};
        CHECK_FALSE(guard.nobody_reaches());
        CHECK_FALSE(guard.may_reuse());
    }
    CHECK(guard.nobody_reaches());
    CHECK(guard.may_reuse());
    guard.wait_for_holders(); // there is none
}
