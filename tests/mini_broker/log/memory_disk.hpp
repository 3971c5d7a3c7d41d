#pragma once

#include "io/disk.hpp"
#include "property/random.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace log_test {

using mini_broker::Disk;
using mini_broker::DiskError;
using mini_broker::File;

/// A disk in memory that can fail at any write, and then lose what was not synced, as the power
/// does: of every file a part of its unsynced end, of every name perhaps its making or removal.
class MemoryDisk : public Disk {
public:
    /// What changes the disk fails from the `nth` such call on, counted from 0.
    void fail_at(std::uint64_t nth) noexcept { left_ = nth; }
    [[nodiscard]] bool failed() const noexcept { return left_ && *left_ == 0; }

    /// To be called when nothing has a file open any more.
    void lose_power(property::Random& random) {
        left_.reset();
        for (const auto& [name, kept] : durable_) {
            const bool stays = names_.contains(name) ? names_[name] == kept : false;
            if (!stays && random.chance(50)) names_[name] = kept;
        }
        std::erase_if(names_, [&](const auto& entry) {
            return !durable_.contains(entry.first) && random.chance(50);
        });
        for (const auto& [name, content] : names_) content->lose_unsynced(random);
        durable_ = names_;
    }

    [[nodiscard]] std::shared_ptr<File> open(const std::string& path) override {
        if (!names_.contains(path)) {
            step();
            names_[path] = std::make_shared<Content>();
        }
        return std::make_shared<OpenFile>(*this, names_[path]);
    }

    [[nodiscard]] std::optional<std::string> read_whole(const std::string& path) override {
        const auto found = names_.find(path);
        if (found == names_.end()) return std::nullopt;
        return found->second->now;
    }

    void replace(const std::string& path, std::string_view content) override {
        step();
        auto replaced = std::make_shared<Content>();
        replaced->now = replaced->synced = std::string{content};
        names_[path] = durable_[path] = replaced;
    }

    void remove(const std::string& path) override {
        step();
        names_.erase(path);
    }

    void make_directory(const std::string&) override {}

    void remove_directory(const std::string& path) override {
        step();
        const auto in = [&](const auto& entry) { return entry.first.starts_with(path + "/"); };
        std::erase_if(names_, in);
        std::erase_if(durable_, in);
    }

    [[nodiscard]] std::vector<std::string> list(const std::string& path) override {
        std::vector<std::string> names;
        for (const auto& [name, content] : names_) {
            if (name.starts_with(path + "/")) names.push_back(name.substr(path.size() + 1));
        }
        return names;
    }

    void sync_directory(const std::string&) override {
        step();
        durable_ = names_;
    }

    /// A file's bytes, to be spoiled.
    [[nodiscard]] std::string& bytes_of(const std::string& path) { return names_.at(path)->now; }

private:
    struct Content {
        std::string now;
        std::string synced;

        void lose_unsynced(property::Random& random) {
            if (now.starts_with(synced)) {
                now.resize(synced.size() + random.below(now.size() - synced.size() + 1));
                // The length may be written before what it is the length of.
                if (now.size() > synced.size() && random.chance(30)) {
                    const std::size_t at = synced.size() + random.below(now.size() - synced.size());
                    std::fill(now.begin() + static_cast<std::ptrdiff_t>(at), now.end(), '\0');
                }
            } else if (random.chance(50)) {
                now = synced;
            }
            synced = now;
        }
    };

    class OpenFile : public File {
    public:
        OpenFile(MemoryDisk& disk, std::shared_ptr<Content> content)
            : disk_(disk), content_(std::move(content)) {}

        [[nodiscard]] std::uint64_t size() const noexcept override { return content_->now.size(); }
        void append(std::span<const std::string_view> parts) override {
            disk_.step();
            for (const std::string_view part : parts) content_->now += part;
        }
        std::size_t read(std::uint64_t at, char* into, std::size_t size) const override {
            const std::string_view now = content_->now;
            if (at >= now.size()) return 0;
            return now.substr(static_cast<std::size_t>(at)).copy(into, size);
        }
        void truncate(std::uint64_t size) override {
            disk_.step();
            content_->now.resize(static_cast<std::size_t>(size));
        }
        void sync() override {
            disk_.step();
            content_->synced = content_->now;
        }

    private:
        MemoryDisk& disk_;
        std::shared_ptr<Content> content_;
    };

    void step() {
        if (failed()) throw DiskError("the disk of this test has failed");
        if (left_) --*left_;
    }

    std::map<std::string, std::shared_ptr<Content>> names_;
    std::map<std::string, std::shared_ptr<Content>> durable_;
    std::optional<std::uint64_t> left_; ///< changes until it fails
};

} // namespace log_test
