#pragma once

#include <insync/detail/name.hpp>
#include <insync/replication_waits.hpp>

#include <cstdint>

namespace insync::detail {

/// What a call has brought about under a partition's lock and still has to tell the host, once no
/// lock is held. Changes for the listeners are in the `EventQueue` already.
struct Outcome {
    EndedWaits ended;
    Cell* publish_word = nullptr; ///< the partition whose decision is to be published, if any
    std::uint64_t publish_identity = 0;

    [[nodiscard]] bool empty() const noexcept { return ended.empty() && publish_word == nullptr; }
};

} // namespace insync::detail
