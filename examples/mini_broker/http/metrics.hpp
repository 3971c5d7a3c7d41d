#pragma once

#include "http/server.hpp"

#include <prometheus/collectable.h>

#include <memory>
#include <vector>

namespace mini_broker {

/// The page of Prometheus's text format: what every collectable has, gathered now. insync's is
/// `insync::metrics::PrometheusCollector`, the broker's own a `prometheus::Registry`.
[[nodiscard]] HttpAnswer metrics_page(
    const std::vector<std::shared_ptr<prometheus::Collectable>>& collectables);

} // namespace mini_broker
