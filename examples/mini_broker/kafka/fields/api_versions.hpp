#pragma once

#include "kafka/messages/api_versions.hpp"
#include "kafka/wire.hpp"

#include <cstdint>

namespace mini_broker::kafka {

template <class Io>
void fields(Io& io, Of<Io, ApiVersionsRequest>& m) {
    io.since(3, m.client_software_name, m.client_software_version);
}

template <class Io>
void fields(Io& io, Of<Io, ApiVersionsResponse::Version>& m) {
    io.all(m.api_key, m.min_version, m.max_version);
}

template <class Io>
void fields(Io& io, Of<Io, ApiVersionsResponse::SupportedFeature>& m) {
    io.all(m.name, m.min_version, m.max_version);
}

template <class Io>
void fields(Io& io, Of<Io, ApiVersionsResponse::FinalizedFeature>& m) {
    io.all(m.name, m.max_version_level, m.min_version_level);
}

template <class Io>
void fields(Io& io, Of<Io, ApiVersionsResponse>& m) {
    io.all(m.error_code, m.api_keys);
    io.since(1, m.throttle_time_ms);
    io.tagged(0, 3, m.supported_features);
    io.tagged(1, 3, m.finalized_features_epoch, std::int64_t{-1});
    io.tagged(2, 3, m.finalized_features);
}

} // namespace mini_broker::kafka
