#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

namespace insync::detail {

/// Lets writers use memory again that readers might still be looking at, without a reader ever
/// locking, waiting or, in the ordinary case, writing (the argument: docs/design.md, "Reads").
///
/// What readers can reach is never freed, only used again, and all of it is atomic words. A reader
/// first looks optimistically: it notes `generation()`, looks, and trusts what it saw if the
/// generation is still the same, for every use of retired memory is announced by raising it
/// *before* the first word is rewritten. After `kTries` failures it registers as a holder, and
/// while there is a holder no writer uses anything again; its next look succeeds. So a read takes
/// a bounded number of steps whatever writers do.
///
/// Holder and writer exclude each other by the order in which they modify `holders_`: a writer
/// unlinks, then adds nothing to it; a holder adds itself, then follows links. A writer that was
/// first is one that the holder synchronises with, so that the holder sees the unlinking and cannot
/// reach the memory any more; one that came later finds the holder and leaves the memory alone. A
/// plain load would not do: nothing keeps it behind the unlinking, which is a release store.
class ReuseGuard {
public:
    static constexpr int kTries = 4;

    /// Runs `look` until what it returns is to be believed.
    /// \param look  returns a value, reading only atomics; may see nonsense, must tolerate it
    template <class Look>
    [[nodiscard, gnu::always_inline]] auto read(const Look& look) const noexcept {
        const auto before = generation_.load(std::memory_order_acquire);
        auto seen = look();
        // Every word is read with acquire, so this load cannot move before them: whoever saw a
        // rewritten word also sees the generation that announced it.
        if (generation_.load(std::memory_order_relaxed) != before) [[unlikely]]
            seen = read_again(look);
        return seen;
    }

    /// Keeps every writer from using anything again while it lives.
    class Holder {
    public:
        explicit Holder(const ReuseGuard& guard) noexcept : guard_(guard) {
            guard_.holders_.fetch_add(1, std::memory_order_seq_cst);
            // Orders what the holder reads next, with weaker loads, after the registration.
            // ThreadSanitizer does not know fences; it does not need this one either, as there is
            // no plain memory that it orders.
#if !defined(__SANITIZE_THREAD__)
            std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
        }
        Holder(const Holder&) = delete;
        Holder& operator=(const Holder&) = delete;
        ~Holder() { guard_.holders_.fetch_sub(1, std::memory_order_release); }

    private:
        const ReuseGuard& guard_;
    };

    /// Whether memory that was unlinked before may be rewritten now. Announces it.
    [[nodiscard]] bool may_reuse() noexcept {
        if (!nobody_reaches()) return false;
        generation_.fetch_add(1, std::memory_order_seq_cst);
        return true;
    }

    /// Whether no reader that holds, now or later, can reach what was unlinked before. A
    /// read-modify-write, see above; some ten nanoseconds.
    [[nodiscard]] bool nobody_reaches() const noexcept {
        return holders_.fetch_add(0, std::memory_order_seq_cst) == 0;
    }

    /// Waits until no reader holds: a few nanoseconds, unless one is preempted in its last try.
    /// Only writers wait for readers, never the other way round. A load is enough: what the writer
    /// did before it is a sequentially consistent store (docs/design.md, "Reads").
    void wait_for_holders() const noexcept {
        while (holders_.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
    }

private:
    /// The rest of `read`, out of the way of its first try. By value, so that what the first try
    /// uses need not be in memory.
    template <class Look>
    [[nodiscard, gnu::noinline]] auto read_again(Look look) const noexcept {
        for (int i = 1; i < kTries; ++i) {
            const auto before = generation_.load(std::memory_order_acquire);
            auto seen = look();
            if (generation_.load(std::memory_order_relaxed) == before) return seen;
        }
        const Holder holder{*this};
        return look();
    }

    alignas(64) std::atomic<std::uint64_t> generation_{0};
    mutable std::atomic<std::uint32_t> holders_{0};
};

} // namespace insync::detail
