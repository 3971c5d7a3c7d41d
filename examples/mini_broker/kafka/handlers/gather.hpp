#pragma once

#include "cluster/command.hpp"
#include "kafka/handlers/call.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

namespace mini_broker::kafka {

/// A response whose parts wait for commands of their own. The parts must all be there, and stay
/// where they are, before the first is submitted.
template <class Response>
class Gather : public std::enable_shared_from_this<Gather<Response>> {
public:
    explicit Gather(CallPtr call) : call_(std::move(call)) {}

    /// Submits a command, whose result goes into `answer` if it is an error.
    template <class Answer>
    void submit(Command command, std::int32_t timeout_ms, Answer& answer) {
        constexpr std::int32_t kShortest = 1000;
        constexpr std::int32_t kLongest = 60'000;
        if (call_->context.controller.busy()) {
            answer.error_code = Error::request_timed_out;
            return;
        }
        ++waiting_;
        call_->context.controller.submit(
            std::move(command), Millis{std::clamp(timeout_ms, kShortest, kLongest)},
            [self = this->shared_from_this(), &answer](const CommandResult& result) {
                answer.error_code = result.error;
                if constexpr (requires { answer.error_message = result.message; })
                    if (result.error != Error::none) answer.error_message = result.message;
                self->one_less();
            });
    }
    /// Everything is submitted: from now on the last result sends the answer.
    void begun() { one_less(); }

    Response response;

private:
    void one_less() {
        if (--waiting_ == 0) call_->answer(response);
    }

    CallPtr call_;
    std::size_t waiting_ = 1; // for `begun`
};

} // namespace mini_broker::kafka
