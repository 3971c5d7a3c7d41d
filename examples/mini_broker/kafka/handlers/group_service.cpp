#include "kafka/handlers/group_service.hpp"

#include <fmt/format.h>

#include <random>

namespace mini_broker::kafka {

namespace {

std::string fresh_member_id() {
    std::random_device random;
    return fmt::format("{:08x}-{:08x}-{:08x}", random(), random(), random());
}

} // namespace

GroupService::GroupService(Controller& controller, Loop& loop)
    : controller_(controller), loop_(loop), coordinator_({}, fresh_member_id) {}

bool GroupService::active() const {
    return controller_.group().leading() && controller_.group().caught_up_with_its_term();
}

void GroupService::tick() {
    constexpr Millis kEvery{100};
    const bool now_active = active();
    if (was_active_ && !now_active) coordinator_.resign();
    was_active_ = now_active;
    if (!now_active || loop_.now() < next_tick_) return;
    next_tick_ = insync::saturating_add(loop_.now(), kEvery);
    coordinator_.tick(loop_.now());
}

} // namespace mini_broker::kafka
