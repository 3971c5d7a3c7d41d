#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace insync::detail {

template <class Signature>
class Callback;

/// A move-only callable. `std::function` would refuse callbacks that own a promise or a request.
template <class... Arguments>
class Callback<void(Arguments...)> {
public:
    Callback() = default;

    template <class F>
        requires(!std::is_same_v<std::remove_cvref_t<F>, Callback> &&
                 std::is_invocable_v<F&, Arguments...>)
    Callback(F&& function)
        : held_(std::make_unique<Held<std::decay_t<F>>>(std::forward<F>(function))) {}

    explicit operator bool() const noexcept { return held_ != nullptr; }

    void operator()(Arguments... arguments) { held_->call(arguments...); }

private:
    struct Base {
        Base() = default;
        Base(const Base&) = delete;
        Base& operator=(const Base&) = delete;
        virtual ~Base() = default;
        virtual void call(Arguments... arguments) = 0;
    };

    template <class F>
    struct Held final : Base {
        explicit Held(F&& f) : function(std::move(f)) {}
        explicit Held(const F& f) : function(f) {}
        void call(Arguments... arguments) override { function(arguments...); }
        F function;
    };

    std::unique_ptr<Base> held_;
};

} // namespace insync::detail
