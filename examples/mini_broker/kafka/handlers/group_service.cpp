#include "kafka/handlers/group_service.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace mini_broker::kafka {

GroupService::GroupService(Controller& controller,
                           Loop& loop,
                           std::function<std::uint32_t()> random)
    : controller_(controller), loop_(loop), coordinator_({}, [random = std::move(random)] {
          // One by one, as the order in which arguments are evaluated differs.
          std::array<std::uint32_t, 3> words{};
          for (std::uint32_t& word : words) word = random();
          return fmt::format("{:08x}-{:08x}-{:08x}", words[0], words[1], words[2]);
      }) {}

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
