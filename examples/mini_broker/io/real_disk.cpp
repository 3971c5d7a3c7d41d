#include "io/real_disk.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace mini_broker {
namespace {

constexpr std::string_view kUnfinished = ".tmp";

[[noreturn]] void fail(std::string_view what, std::string_view path, int error) {
    throw DiskError(fmt::format("{} {}: {}", what, path, std::generic_category().message(error)));
}

/// Calls again what a signal cut short.
template <class Call>
auto uninterrupted(const Call& call) {
    auto result = call();
    while (result < 0 && errno == EINTR) result = call();
    return result;
}

class Descriptor {
public:
    Descriptor(const std::string& path, int flags)
        : fd_(uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0644); })) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] bool opened() const noexcept { return fd_ >= 0; }

private:
    int fd_;
};

std::uint64_t size_of(const Descriptor& file, const std::string& path) {
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) fail("stat", path, errno);
    return static_cast<std::uint64_t>(status.st_size);
}

std::size_t read_at(const Descriptor& file,
                    const std::string& path,
                    std::uint64_t at,
                    char* into,
                    std::size_t size) {
    std::size_t done = 0;
    while (done < size) {
        const ssize_t got = uninterrupted([&] {
            return ::pread(file.get(), into + done, size - done, static_cast<off_t>(at + done));
        });
        if (got < 0) fail("read", path, errno);
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

/// Writes `parts`, which are used up, at a position.
void write_at(const Descriptor& file,
              const std::string& path,
              std::uint64_t at,
              std::span<iovec> parts) {
    while (!parts.empty()) {
        if (parts.front().iov_len == 0) {
            parts = parts.subspan(1);
            continue;
        }
        const auto count = static_cast<int>(std::min<std::size_t>(parts.size(), IOV_MAX));
        const ssize_t got = uninterrupted(
            [&] { return ::pwritev(file.get(), parts.data(), count, static_cast<off_t>(at)); });
        if (got < 0) fail("write", path, errno);
        if (got == 0) fail("write", path, ENOSPC);
        at += static_cast<std::uint64_t>(got);
        auto left = static_cast<std::size_t>(got);
        while (left > 0) {
            iovec& part = parts.front();
            const std::size_t of_part = std::min(left, part.iov_len);
            part.iov_base = static_cast<char*>(part.iov_base) + of_part;
            part.iov_len -= of_part;
            left -= of_part;
            if (part.iov_len == 0) parts = parts.subspan(1);
        }
    }
}

iovec vector_of(std::string_view part) noexcept {
    return {const_cast<char*>(part.data()), part.size()}; // pwritev only reads
}

class RealFile : public File {
public:
    explicit RealFile(std::string path) : path_(std::move(path)), file_(path_, O_RDWR | O_CREAT) {
        if (!file_.opened()) fail("open", path_, errno);
        size_ = size_of(file_, path_);
    }

    [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }

    void append(std::span<const std::string_view> parts) override {
        std::uint64_t bytes = 0;
        std::array<iovec, 8> few; // NOLINT(cppcoreguidelines-pro-type-member-init): filled below
        std::vector<iovec> many;
        std::span<iovec> vectors{few};
        if (parts.size() > few.size()) {
            many.resize(parts.size());
            vectors = many;
        }
        for (std::size_t i = 0; i < parts.size(); ++i) {
            vectors[i] = vector_of(parts[i]);
            bytes += parts[i].size();
        }
        write_at(file_, path_, size_, vectors.first(parts.size()));
        size_ += bytes;
    }

    std::size_t read(std::uint64_t at, char* into, std::size_t size) const override {
        return read_at(file_, path_, at, into, size);
    }

    void truncate(std::uint64_t size) override {
        const int result =
            uninterrupted([&] { return ::ftruncate(file_.get(), static_cast<off_t>(size)); });
        if (result != 0) fail("truncate", path_, errno);
        size_ = size;
        truncated_ = true;
    }

    void sync() override {
        // A size that has shrunk is metadata that fdatasync need not write.
        const bool whole = truncated_.exchange(false);
        const int result =
            uninterrupted([&] { return whole ? ::fsync(file_.get()) : ::fdatasync(file_.get()); });
        if (result != 0) fail("sync", path_, errno);
    }

private:
    std::string path_;
    Descriptor file_;
    std::uint64_t size_ = 0;
    std::atomic<bool> truncated_{false};
};

void sync_path(const std::string& path) {
    const Descriptor directory{path, O_RDONLY | O_DIRECTORY};
    if (!directory.opened()) fail("open", path, errno);
    if (uninterrupted([&] { return ::fsync(directory.get()); }) != 0) fail("sync", path, errno);
}

std::string parent_of(const std::string& path) {
    return std::filesystem::path{path}.parent_path().string();
}

} // namespace

RealDisk::RealDisk(std::string root) : root_(std::filesystem::absolute(root).string()) {
    make_directory("");
}

std::string RealDisk::full(const std::string& path) const {
    return path.empty() ? root_ : root_ + "/" + path;
}

std::shared_ptr<File> RealDisk::open(const std::string& path) {
    return std::make_shared<RealFile>(full(path));
}

std::optional<std::string> RealDisk::read_whole(const std::string& path) {
    const std::string name = full(path);
    const Descriptor file{name, O_RDONLY};
    if (!file.opened()) {
        if (errno == ENOENT) return std::nullopt;
        fail("open", name, errno);
    }
    std::string content(size_of(file, name), '\0');
    content.resize(read_at(file, name, 0, content.data(), content.size()));
    return content;
}

void RealDisk::replace(const std::string& path, std::string_view content) {
    const std::string name = full(path);
    const std::string unfinished = name + std::string{kUnfinished};
    {
        const Descriptor file{unfinished, O_WRONLY | O_CREAT | O_TRUNC};
        if (!file.opened()) fail("open", unfinished, errno);
        iovec part = vector_of(content);
        write_at(file, unfinished, 0, {&part, 1});
        const int result = uninterrupted([&] { return ::fsync(file.get()); });
        if (result != 0) fail("sync", unfinished, errno);
    }
    if (::rename(unfinished.c_str(), name.c_str()) != 0) fail("rename to", name, errno);
    sync_path(parent_of(name));
}

void RealDisk::remove(const std::string& path) {
    const std::string name = full(path);
    if (::unlink(name.c_str()) != 0 && errno != ENOENT) fail("remove", name, errno);
}

void RealDisk::make_directory(const std::string& path) {
    const std::string name = full(path);
    // The parents first, each made durable in its own: a file in a directory that is lost is lost.
    for (std::size_t end = 1; end != std::string::npos;) {
        end = name.find('/', end);
        const std::string made = name.substr(0, end);
        if (end != std::string::npos) ++end;
        if (::mkdir(made.c_str(), 0755) == 0) {
            sync_path(parent_of(made));
        } else if (errno != EEXIST) {
            fail("make directory", made, errno);
        }
    }
}

void RealDisk::remove_directory(const std::string& path) {
    const std::string name = full(path);
    std::error_code error;
    const auto removed = std::filesystem::remove_all(name, error);
    if (error) fail("remove directory", name, error.value());
    if (removed > 0) sync_path(parent_of(name));
}

std::vector<std::string> RealDisk::list(const std::string& path) {
    const std::string name = full(path);
    std::error_code error;
    std::vector<std::string> names;
    std::filesystem::directory_iterator entries{name, error};
    if (error == std::errc::no_such_file_or_directory) return names;
    for (; !error && entries != std::filesystem::directory_iterator{}; entries.increment(error)) {
        std::string entry = entries->path().filename().string();
        if (!entry.ends_with(kUnfinished)) names.push_back(std::move(entry));
    }
    if (error) fail("list", name, error.value());
    std::sort(names.begin(), names.end());
    return names;
}

void RealDisk::sync_directory(const std::string& path) {
    sync_path(full(path));
}

} // namespace mini_broker
