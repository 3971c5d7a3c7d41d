#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

namespace bench {

/// A reader-writer spin lock in one word, the lock of a shard: bit 0 is the writer, the rest counts
/// readers in twos.
class RwSpinLock {
public:
    void lock_shared() {
        for (int spins = 0;; ++spins) {
            std::uint32_t value = state_.load(std::memory_order_relaxed);
            const bool written = (value & kWriter) != 0;
            if (!written &&
                state_.compare_exchange_weak(value, value + kReader, std::memory_order_acquire))
                return;
            relax(spins);
        }
    }
    void unlock_shared() { state_.fetch_sub(kReader, std::memory_order_release); }

    void lock() {
        for (int spins = 0;; ++spins) {
            std::uint32_t free = 0;
            if (state_.compare_exchange_weak(free, kWriter, std::memory_order_acquire)) return;
            relax(spins);
        }
    }
    void unlock() { state_.store(0, std::memory_order_release); }

private:
    static constexpr std::uint32_t kWriter = 1;
    static constexpr std::uint32_t kReader = 2;

    static void relax(int spins) {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#endif
        if (spins % 200 == 199) std::this_thread::yield();
    }

    std::atomic<std::uint32_t> state_{0};
};

} // namespace bench
