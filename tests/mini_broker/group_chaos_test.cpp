#include "mini_broker/group_clients.hpp"
#include "property/random.hpp"

#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace group_clients;
using property::Random;

/// Clients that do what Kafka's do, and among them some that stop, forget or come back.
class Chaos {
public:
    explicit Chaos(std::uint64_t seed) : random_(seed), world_(options()) {}

    /// \return what went wrong, if anything did
    std::string run() {
        for (int step = 0; step < 400 && fault_.empty(); ++step) {
            world_.wait(random_.between(0, 400));
            if (clients_.size() < 6 && random_.chance(10)) arrive();
            for (const auto& one : clients_) act(*one, true);
            if (!clients_.empty() && random_.chance(3)) vanish();
            check();
        }
        // In peace everybody settles: past all sessions and a rebalance, then some rounds.
        for (int step = 0; step < 300 && fault_.empty(); ++step) {
            world_.wait(400);
            for (const auto& one : clients_) act(*one, false);
            check();
        }
        if (fault_.empty()) check_peace();
        return fault_;
    }

private:
    enum class Does : std::uint8_t { joins, syncs, reads };
    struct One {
        std::unique_ptr<Client> client;
        std::optional<std::string> instance;
        Does does = Does::joins;
        int asked = 0;
    };

    GroupOptions options() {
        GroupOptions options;
        options.initial_rebalance_delay = Millis{random_.one_of({0, 200, 3'000})};
        return options;
    }

    void arrive() {
        auto one = std::make_unique<One>();
        const auto name = "c" + std::to_string(++names_);
        std::optional<std::string> instance;
        // Of two that live with one instance id each throws the other out, in Kafka too.
        const auto taken = [&](const auto& other) { return other->instance == instance; };
        if (random_.chance(25)) instance = "i" + std::to_string(random_.below(3));
        if (std::any_of(clients_.begin(), clients_.end(), taken)) instance.reset();
        one->instance = instance;
        one->client = std::make_unique<Client>(world_, name, instance);
        if (random_.chance(30)) one->client->protocols = {"sticky"};
        one->client->session_ms = static_cast<std::int32_t>(random_.between(6'000, 12'000));
        clients_.push_back(std::move(one));
    }
    /// Its process ends; answers to it go nowhere.
    void vanish() {
        const auto which = random_.below(clients_.size());
        if (random_.chance(30)) static_cast<void>(clients_[which]->client->leave());
        gone_.push_back(std::move(clients_[which]));
        clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(which));
    }

    void act(One& one, bool faults) {
        Client& client = *one.client;
        if (client.waiting) return;
        if (faults && random_.chance(20)) return; // slow
        if (one.does == Does::joins) {
            ++one.asked;
            client.joined.reset();
            client.join();
            one.does = Does::syncs;
        } else if (one.does == Does::syncs) {
            follow(one, client.joined->error_code, [&] {
                ++one.asked;
                client.synced.reset();
                client.sync();
                one.does = Does::reads;
            });
        } else {
            follow(one, client.synced->error_code, [&] {
                const bool want_new = faults && random_.chance(2); // say, a topic has changed
                follow(one, want_new ? Error::rebalance_in_progress : client.heartbeat(), [] {});
            });
        }
    }
    template <class Then>
    void follow(One& one, Error error, Then then) {
        if (error == Error::none) return then();
        one.does = Does::joins;
        if (error == Error::unknown_member_id || error == Error::fenced_instance_id)
            one.client->member.clear();
    }

    void check() {
        for (const auto& one : clients_) {
            const int open = one->client->waiting ? 1 : 0;
            if (one->client->answers + open != one->asked)
                fault_ = one->client->name() + " was not answered exactly once";
        }
        const auto group = world_.coordinator.describe("g");
        if (group.group_state != "Stable") return;
        for (const auto& member : group.members)
            if (member.member_assignment != "for " + member.client_id &&
                !member.group_instance_id && !member.member_assignment.empty())
                fault_ = member.client_id + " reads " + member.member_assignment;
    }

    void check_peace() {
        const auto group = world_.coordinator.describe("g");
        if (group.members.size() != clients_.size())
            fault_ = fmt::format("{} members, {} clients", group.members.size(), clients_.size());
        if (!clients_.empty() && group.group_state != "Stable") fault_ = group.group_state;
        int leaders = 0;
        for (const auto& one : clients_) {
            if (one->client->leads()) ++leaders;
            if (one->client->generation != clients_[0]->client->generation)
                fault_ = "two generations";
            if (!one->client->synced ||
                one->client->synced->assignment != "for " + one->client->name())
                fault_ = one->client->name() + " has another's assignment, or none";
        }
        if (!clients_.empty() && leaders != 1) fault_ = fmt::format("{} leaders", leaders);
    }

    Random random_;
    World world_;
    std::vector<std::unique_ptr<One>> clients_;
    std::vector<std::unique_ptr<One>> gone_;
    int names_ = 0;
    std::string fault_;
};

TEST_CASE("Whatever clients do, each is answered once and in peace all read", "[groups]") {
    const auto seed = property::from_environment("INSYNC_SEED", 20'260'801);
    const auto rounds = property::from_environment("INSYNC_SEED", 0) != 0 ? 1u : 300u;
    for (std::uint64_t i = 0; i < rounds; ++i) {
        const std::string fault = Chaos(seed + i).run();
        if (!fault.empty()) FAIL("INSYNC_SEED=" << seed + i << ": " << fault);
    }
    SUCCEED();
}

} // namespace
