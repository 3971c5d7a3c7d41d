#pragma once

#include "io/disk.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mini_broker {

/// A directory of this machine, by POSIX calls.
///
/// Names that end in `.tmp` are its own: what a `replace` had not finished. `list` leaves them out.
class RealDisk : public Disk {
public:
    /// Makes the directory if it is missing.
    explicit RealDisk(std::string root);

    [[nodiscard]] std::shared_ptr<File> open(const std::string& path) override;
    [[nodiscard]] std::optional<std::string> read_whole(const std::string& path) override;
    void replace(const std::string& path, std::string_view content) override;
    void remove(const std::string& path) override;
    void make_directory(const std::string& path) override;
    void remove_directory(const std::string& path) override;
    [[nodiscard]] std::vector<std::string> list(const std::string& path) override;
    void sync_directory(const std::string& path) override;

private:
    [[nodiscard]] std::string full(const std::string& path) const;

    std::string root_;
};

} // namespace mini_broker
