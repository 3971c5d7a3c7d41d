#pragma once

// What outlives a server of the kit's run: its log, its term and vote, and its configuration.

#include <libnuraft/nuraft.hxx>

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace hosts {

/// A log in memory, all of it durable unless it is held. Entries are copied on their way in and
/// out, as servers that share a process must not share a buffer.
class NuraftLog : public nuraft::log_store {
public:
    /// Called once, by the next question for what is durable, which only the view asks.
    void during_read(std::function<void()> action) { during_read_ = std::move(action); }

    /// What is appended from now on is not durable until `release`, and lost by `lose_power`.
    void hold() { durable_ = next_slot() - 1; }
    void release() { durable_ = kAll; }
    void lose_power() {
        const std::lock_guard lock{mutex_};
        if (entries_.size() > durable_) entries_.resize(durable_);
        durable_ = kAll;
    }

    nuraft::ulong next_slot() const override {
        const std::lock_guard lock{mutex_};
        return entries_.size() + 1;
    }
    nuraft::ulong start_index() const override { return 1; }
    nuraft::ptr<nuraft::log_entry> last_entry() const override {
        const std::lock_guard lock{mutex_};
        return at(entries_.size());
    }
    nuraft::ulong append(nuraft::ptr<nuraft::log_entry>& entry) override {
        const std::lock_guard lock{mutex_};
        entries_.push_back(copy(*entry));
        return entries_.size();
    }
    /// What was behind it goes.
    void write_at(nuraft::ulong index, nuraft::ptr<nuraft::log_entry>& entry) override {
        const std::lock_guard lock{mutex_};
        entries_.resize(index - 1);
        entries_.push_back(copy(*entry));
    }
    nuraft::ptr<std::vector<nuraft::ptr<nuraft::log_entry>>> log_entries(
        nuraft::ulong start, nuraft::ulong end) override {
        const std::lock_guard lock{mutex_};
        auto found = nuraft::cs_new<std::vector<nuraft::ptr<nuraft::log_entry>>>();
        for (nuraft::ulong index = start; index < end; ++index) found->push_back(at(index));
        return found;
    }
    nuraft::ptr<nuraft::log_entry> entry_at(nuraft::ulong index) override {
        const std::lock_guard lock{mutex_};
        return at(index);
    }
    nuraft::ulong term_at(nuraft::ulong index) override {
        const std::lock_guard lock{mutex_};
        return at(index)->get_term();
    }
    // A log as short as these is sent to a joining server by appends, and no snapshot is made.
    nuraft::ptr<nuraft::buffer> pack(nuraft::ulong, nuraft::int32) override { return nullptr; }
    void apply_pack(nuraft::ulong, nuraft::buffer&) override {}
    bool compact(nuraft::ulong) override { return false; }
    bool flush() override { return true; }
    nuraft::ulong last_durable_index() override {
        if (const auto action = std::exchange(during_read_, nullptr)) action();
        return std::min<nuraft::ulong>(durable_, next_slot() - 1);
    }

private:
    static nuraft::ptr<nuraft::log_entry> copy(const nuraft::log_entry& entry) {
        return nuraft::cs_new<nuraft::log_entry>(
            entry.get_term(), nuraft::buffer::clone(entry.get_buf()), entry.get_val_type());
    }
    nuraft::ptr<nuraft::log_entry> at(nuraft::ulong index) const {
        if (index == 0 || index > entries_.size())
            return nuraft::cs_new<nuraft::log_entry>(0, nuraft::buffer::alloc(sizeof(index)));
        return copy(*entries_[index - 1]);
    }

    static constexpr nuraft::ulong kAll = ~nuraft::ulong{0};

    mutable std::mutex mutex_;
    std::vector<nuraft::ptr<nuraft::log_entry>> entries_;
    std::atomic<nuraft::ulong> durable_{kAll};
    std::function<void()> during_read_;
};

/// The disk of one server.
class NuraftDisk : public nuraft::state_mgr {
public:
    NuraftDisk(int id, nuraft::ptr<nuraft::cluster_config> config)
        : id_(id), config_(std::move(config)), log_(nuraft::cs_new<NuraftLog>()) {}

    NuraftLog& log() { return *log_; }

    nuraft::ptr<nuraft::cluster_config> load_config() override { return config_; }
    void save_config(const nuraft::cluster_config& config) override {
        config_ = nuraft::cluster_config::deserialize(*config.serialize());
    }
    void save_state(const nuraft::srv_state& state) override {
        state_ = nuraft::srv_state::deserialize(*state.serialize());
    }
    nuraft::ptr<nuraft::srv_state> read_state() override { return state_; }
    nuraft::ptr<nuraft::log_store> load_log_store() override { return log_; }
    nuraft::int32 server_id() override { return id_; }
    void system_exit(const int) override {}

private:
    int id_;
    nuraft::ptr<nuraft::cluster_config> config_;
    nuraft::ptr<nuraft::srv_state> state_;
    nuraft::ptr<NuraftLog> log_;
};

/// A state machine that does nothing; what was applied is not on the disk.
class NuraftMachine : public nuraft::state_machine {
public:
    nuraft::ptr<nuraft::buffer> commit(const nuraft::ulong, nuraft::buffer&) override {
        return nullptr;
    }
    bool apply_snapshot(nuraft::snapshot&) override { return false; }
    nuraft::ptr<nuraft::snapshot> last_snapshot() override { return nullptr; }
    nuraft::ulong last_commit_index() override { return 0; }
    void create_snapshot(nuraft::snapshot&,
                         nuraft::async_result<bool>::handler_type& when_done) override {
        bool made = false;
        nuraft::ptr<std::exception> none;
        when_done(made, none);
    }
};

} // namespace hosts
