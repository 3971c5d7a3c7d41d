#include "cluster/producer_ids.hpp"

#include <fmt/format.h>

#include <sstream>

namespace mini_broker {

ProducerIds::ProducerIds(Disk& disk, std::string path, Controller& controller)
    : disk_(disk), path_(std::move(path)), controller_(controller) {
    const auto stored = disk_.read_whole(path_);
    if (!stored) return;
    std::istringstream text{*stored};
    if (!(text >> next_ >> end_ >> spare_) || next_ < 0 || next_ > end_) {
        next_ = end_ = 0; // ids are plenty; to use one twice would lose records
        spare_ = -1;
    }
}

std::optional<std::int64_t> ProducerIds::take() {
    if (next_ == end_ && spare_ >= 0) {
        next_ = spare_;
        end_ = spare_ + kBlock;
        spare_ = -1;
    }
    if (next_ == end_) return std::nullopt;
    const std::int64_t id = next_++;
    store(); // before it is used
    return id;
}

void ProducerIds::tick() {
    if (asking_ || spare_ >= 0) return;
    asking_ = true;
    controller_.submit(ReserveProducerIds{kBlock}, Millis{5000},
                       [this](const CommandResult& result) {
                           asking_ = false;
                           if (result.error != kafka::Error::none) return;
                           spare_ = result.value;
                           store();
                       });
}

void ProducerIds::store() {
    disk_.replace(path_, fmt::format("{} {} {}\n", next_, end_, spare_));
}

} // namespace mini_broker
