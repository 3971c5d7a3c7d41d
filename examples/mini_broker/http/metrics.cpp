#include "http/metrics.hpp"

#include <prometheus/text_serializer.h>

#include <iterator>

namespace mini_broker {

HttpAnswer metrics_page(const std::vector<std::shared_ptr<prometheus::Collectable>>& collectables) {
    std::vector<prometheus::MetricFamily> all;
    for (const auto& collectable : collectables) {
        auto families = collectable->Collect();
        all.insert(all.end(), std::make_move_iterator(families.begin()),
                   std::make_move_iterator(families.end()));
    }
    return {prometheus::TextSerializer{}.Serialize(all), "text/plain; version=0.0.4; charset=utf-8",
            200};
}

} // namespace mini_broker
