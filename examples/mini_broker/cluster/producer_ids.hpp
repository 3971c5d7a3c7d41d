#pragma once

#include "cluster/controller.hpp"
#include "io/disk.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace mini_broker {

/// Ids for idempotent producers, from a block that this node has reserved in the metadata: to give
/// one out needs no quorum, and no id is ever given out twice.
class ProducerIds {
public:
    ProducerIds(Disk& disk, std::string path, Controller& controller);

    /// Nothing when the block is used up and the metadata could not be asked yet.
    [[nodiscard]] std::optional<std::int64_t> take();
    /// To be called every now and then: reserves the next block in time.
    void tick();

private:
    static constexpr std::int32_t kBlock = 1000;
    void store();

    Disk& disk_;
    std::string path_;
    Controller& controller_;
    std::int64_t next_ = 0;
    std::int64_t end_ = 0;
    std::int64_t spare_ = -1; ///< first id of the next block; -1 for none
    bool asking_ = false;
};

} // namespace mini_broker
