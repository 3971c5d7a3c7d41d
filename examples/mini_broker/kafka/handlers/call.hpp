#pragma once

#include "kafka/codec.hpp"
#include "kafka/handlers/context.hpp"
#include "kafka/header.hpp"
#include "net/connection.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace mini_broker::kafka {

/// One request on its way to its answer; shared by whoever may still answer it.
class Call {
public:
    Call(Context& of, std::string bytes, Reply to)
        : context(of), frame(std::move(bytes)), reply_(std::move(to)) {}
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    /// Sends the answer. Only the first counts.
    template <class Response>
    void answer(const Response& response, bool close_after = false) {
        mini_broker::Response out;
        append_response_header(Response::kApi, header.api_version, header.correlation_id,
                               out.bytes);
        encode(response, header.api_version, out.bytes);
        out.close_after = close_after;
        finish(std::move(out));
    }
    /// Answers nothing, as acks=0 wants it.
    void answer_nothing() { finish({}); }
    /// Closes the connection without an answer: what Kafka does with what it cannot read.
    void close() { finish({{}, true}); }
    [[nodiscard]] bool wanted() const noexcept { return reply_.wanted(); }
    /// Calls `gone` when nobody waits for the answer any more, unless it was answered.
    void when_gone(std::function<void()> gone) { reply_.when_gone(std::move(gone)); }

    Context& context;
    std::string frame; ///< what a decoded request may point into, until its handler returns
    RequestHeader header;
    std::string client; ///< address of the connection
    const std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();

private:
    void finish(mini_broker::Response response);

    Reply reply_;
};

using CallPtr = std::shared_ptr<Call>;

/// Handles one request, whose header is accepted: at once or later.
void dispatch(const CallPtr& call);

// One for each API, in the file of its group.
void handle_api_versions(const CallPtr& call);
void handle_produce(const CallPtr& call);
void handle_fetch(const CallPtr& call);
void handle_list_offsets(const CallPtr& call);
void handle_offset_for_leader_epoch(const CallPtr& call);
void handle_metadata(const CallPtr& call);
void handle_describe_topic_partitions(const CallPtr& call);
void handle_describe_cluster(const CallPtr& call);
void handle_list_partition_reassignments(const CallPtr& call);
void handle_create_topics(const CallPtr& call);
void handle_delete_topics(const CallPtr& call);
void handle_create_partitions(const CallPtr& call);
void handle_describe_configs(const CallPtr& call);
void handle_alter_configs(const CallPtr& call);
void handle_incremental_alter_configs(const CallPtr& call);
void handle_init_producer_id(const CallPtr& call);
void handle_find_coordinator(const CallPtr& call);
void handle_join_group(const CallPtr& call);
void handle_sync_group(const CallPtr& call);
void handle_heartbeat(const CallPtr& call);
void handle_leave_group(const CallPtr& call);
void handle_describe_groups(const CallPtr& call);
void handle_list_groups(const CallPtr& call);
void handle_offset_commit(const CallPtr& call);
void handle_offset_fetch(const CallPtr& call);

/// Reads the request; closes the connection and gives nothing where the bytes are none.
template <class Request>
[[nodiscard]] std::optional<Request> read(const CallPtr& call) {
    std::optional<Request> request{std::in_place};
    if (!decode(call->header.body, call->header.api_version, *request)) {
        call->close();
        request.reset();
    }
    return request;
}

} // namespace mini_broker::kafka
