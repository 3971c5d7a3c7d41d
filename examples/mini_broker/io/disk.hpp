#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace mini_broker {

/// A disk that does not do what it must. Nobody recovers from it: the node stops (fail-stop), as
/// what it has acknowledged may be gone.
struct DiskError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A file that grows at its end. Everything throws `DiskError`, and says which file.
class File {
public:
    virtual ~File() = default;
    [[nodiscard]] virtual std::uint64_t size() const noexcept = 0;
    /// Visible to `read` at once, durable after the next `sync`.
    virtual void append(std::span<const std::string_view> parts) = 0;
    /// Reads up to `size` bytes; fewer only at the end of the file.
    virtual std::size_t read(std::uint64_t at, char* into, std::size_t size) const = 0;
    virtual void truncate(std::uint64_t size) = 0;
    /// Makes durable what was appended or truncated before. Blocks; it alone may be called on
    /// another thread while the others are called on theirs.
    virtual void sync() = 0;
};

/// The directory tree of one node. Paths are relative to its root.
class Disk {
public:
    virtual ~Disk() = default;
    /// Opens a file, made if it is missing. Its name is durable after `sync_directory`.
    [[nodiscard]] virtual std::shared_ptr<File> open(const std::string& path) = 0;
    /// The content of a small file; nothing when there is none.
    [[nodiscard]] virtual std::optional<std::string> read_whole(const std::string& path) = 0;
    /// Replaces a small file's content, whole or not at all, durable on return.
    virtual void replace(const std::string& path, std::string_view content) = 0;
    /// Removing what is not there is no error.
    virtual void remove(const std::string& path) = 0;
    virtual void make_directory(const std::string& path) = 0; ///< and its parents
    /// And all that is in it; durable on return.
    virtual void remove_directory(const std::string& path) = 0;
    /// Names in a directory, sorted; none when there is no such directory.
    [[nodiscard]] virtual std::vector<std::string> list(const std::string& path) = 0;
    /// Makes durable which names are in a directory. Like a file's `sync`, on any thread.
    virtual void sync_directory(const std::string& path) = 0;
};

} // namespace mini_broker
