#pragma once

#include "io/disk.hpp"
#include "mini_broker/simulation/sim_world.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mini_broker::simulation {

/// Thrown by the write during which the machine ends.
struct PowerCut {};

/// A file's bytes, and which of them a crash leaves.
struct Inode {
    std::string content;
    std::size_t synced = 0;            ///< so many of them are durable
    std::optional<std::string> before; ///< what was durable, where a truncation is not yet

    void truncate(std::size_t size) {
        if (size < synced) {
            if (!before) before = content.substr(0, synced);
            synced = size;
        }
        content.resize(size);
    }
    void sync() {
        synced = content.size();
        before.reset();
    }
    /// What is left without power: a part of what was not synced, its end perhaps not as written.
    [[nodiscard]] std::string after_power_cut(World& world) const {
        if (before && world.chance(50)) return *before;
        const std::size_t kept = world.between(synced, content.size());
        std::string left = content.substr(0, kept);
        if (kept > synced && world.chance(30)) {
            const std::size_t torn = world.between(1, std::min<std::size_t>(kept - synced, 40));
            for (std::size_t i = kept - torn; i < kept; ++i)
                left[i] = static_cast<char>(world.between(0, 255));
        }
        return left;
    }
};

/// One node's disk in memory. It outlives the node's runs.
class SimDisk : public Disk {
public:
    explicit SimDisk(World& world) : world_(world) {}

    static constexpr std::uint64_t kNever = UINT64_MAX;
    /// The write after so many others throws `PowerCut`.
    void cut_power_after(std::uint64_t writes) { left_ = writes; }
    /// The process is gone and what it still does goes nowhere; what it wrote is in the kernel's
    /// hands.
    void kill() {
        down_ = true;
        left_.reset();
    }
    /// What was not synced is gone too, or some of it.
    void lose_power() {
        kill();
        std::set<std::string> paths;
        for (const auto& [path, inode] : names_) paths.insert(path);
        for (const auto& [path, inode] : durable_names_) paths.insert(path);
        Names left;
        for (const std::string& path : paths) {
            const auto cached = names_.find(path);
            const auto durable = durable_names_.find(path);
            const bool same = cached != names_.end() && durable != durable_names_.end() &&
                              cached->second == durable->second;
            const bool newer = !same && world_.chance(50);
            const auto& chosen = newer ? cached : durable;
            if (chosen == (newer ? names_.end() : durable_names_.end())) continue;
            auto inode = std::make_shared<Inode>();
            inode->content = chosen->second->after_power_cut(world_);
            inode->sync();
            left.emplace(path, std::move(inode));
        }
        names_ = left;
        durable_names_ = std::move(left);
    }
    void start() { down_ = false; }
    /// Another disk in its place.
    void replace_by_empty() {
        names_.clear();
        durable_names_.clear();
        directories_.clear();
    }

    [[nodiscard]] std::shared_ptr<File> open(const std::string& path) override;
    [[nodiscard]] std::optional<std::string> read_whole(const std::string& path) override {
        const auto found = names_.find(path);
        if (found == names_.end()) return std::nullopt;
        return found->second->content;
    }
    void replace(const std::string& path, std::string_view content) override {
        if (!before_write()) return;
        auto inode = std::make_shared<Inode>();
        inode->content = content;
        inode->sync();
        names_[path] = inode;
        durable_names_[path] = std::move(inode);
    }
    void remove(const std::string& path) override {
        if (before_write()) names_.erase(path);
    }
    void make_directory(const std::string& path) override {
        for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1))
            directories_.insert(path.substr(0, at));
        directories_.insert(path);
    }
    /// Durable on return; a crash in the midst of it leaves any part.
    void remove_directory(const std::string& path) override {
        const auto inside = [&path](const std::string& name) {
            return name == path || name.starts_with(path + "/");
        };
        try {
            if (!before_write()) return;
        } catch (const PowerCut&) {
            for (const auto& [name, inode] : Names{names_})
                if (inside(name) && world_.chance(50)) {
                    names_.erase(name);
                    durable_names_.erase(name);
                }
            throw;
        }
        std::erase_if(names_, [&](const auto& entry) { return inside(entry.first); });
        std::erase_if(durable_names_, [&](const auto& entry) { return inside(entry.first); });
        std::erase_if(directories_, inside);
    }
    [[nodiscard]] std::vector<std::string> list(const std::string& path) override {
        std::set<std::string> found;
        const auto take = [&](const std::string& name) {
            if (!name.starts_with(path + "/")) return;
            const std::string rest = name.substr(path.size() + 1);
            found.insert(rest.substr(0, rest.find('/')));
        };
        for (const auto& [name, inode] : names_) take(name);
        for (const std::string& name : directories_) take(name);
        return {found.begin(), found.end()};
    }
    void sync_directory(const std::string& path) override {
        if (!before_write()) return;
        const auto inside = [&](const std::string& name) {
            const std::size_t slash = name.rfind('/');
            const std::string parent = slash == std::string::npos ? "." : name.substr(0, slash);
            return parent == path || !directories_.contains(parent);
        };
        std::erase_if(durable_names_, [&](const auto& entry) {
            return inside(entry.first) && !names_.contains(entry.first);
        });
        for (const auto& [name, inode] : names_)
            if (inside(name)) durable_names_[name] = inode;
    }

    /// \return whether the write is to take effect
    bool before_write() {
        if (down_) return false;
        if (left_ && (*left_)-- == 0) {
            left_.reset();
            throw PowerCut{};
        }
        return true;
    }

private:
    using Names = std::map<std::string, std::shared_ptr<Inode>>;

    World& world_;
    Names names_;
    Names durable_names_;
    std::set<std::string> directories_;
    std::optional<std::uint64_t> left_;
    bool down_ = false;
};

class SimFile : public File {
public:
    SimFile(SimDisk& disk, std::shared_ptr<Inode> inode) : disk_(disk), inode_(std::move(inode)) {}

    [[nodiscard]] std::uint64_t size() const noexcept override { return inode_->content.size(); }
    void append(std::span<const std::string_view> parts) override {
        if (!disk_.before_write()) return;
        for (const std::string_view part : parts) inode_->content.append(part);
    }
    std::size_t read(std::uint64_t at, char* into, std::size_t size) const override {
        if (at >= inode_->content.size()) return 0;
        return inode_->content.copy(into, size, at);
    }
    void truncate(std::uint64_t size) override {
        if (disk_.before_write()) inode_->truncate(size);
    }
    void sync() override {
        if (disk_.before_write()) inode_->sync();
    }

private:
    SimDisk& disk_;
    std::shared_ptr<Inode> inode_;
};

inline std::shared_ptr<File> SimDisk::open(const std::string& path) {
    auto found = names_.find(path);
    if (found == names_.end() && before_write())
        found = names_.emplace(path, std::make_shared<Inode>()).first;
    const bool known = found != names_.end();
    return std::make_shared<SimFile>(*this, known ? found->second : std::make_shared<Inode>());
}

} // namespace mini_broker::simulation
