#pragma once

#include "kafka/api.hpp"
#include "kafka/codec.hpp"
#include "kafka/errors.hpp"
#include "kafka/fields/api_versions.hpp"
#include "kafka/fields/cluster.hpp"
#include "kafka/fields/configs.hpp"
#include "kafka/fields/describe_groups.hpp"
#include "kafka/fields/fetch.hpp"
#include "kafka/fields/groups.hpp"
#include "kafka/fields/list_offsets.hpp"
#include "kafka/fields/metadata.hpp"
#include "kafka/fields/offsets.hpp"
#include "kafka/fields/produce.hpp"
#include "kafka/fields/producer_id.hpp"
#include "kafka/fields/topics.hpp"
#include "kafka/wire.hpp"
#include "property/random.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace kafka_messages {

using namespace mini_broker::kafka;

/// Calls `call.template operator()<Request, Response>()` for every API.
template <class Call>
void for_each_api(const Call& call) {
    call.template operator()<ProduceRequest, ProduceResponse>();
    call.template operator()<FetchRequest, FetchResponse>();
    call.template operator()<ListOffsetsRequest, ListOffsetsResponse>();
    call.template operator()<MetadataRequest, MetadataResponse>();
    call.template operator()<OffsetCommitRequest, OffsetCommitResponse>();
    call.template operator()<OffsetFetchRequest, OffsetFetchResponse>();
    call.template operator()<FindCoordinatorRequest, FindCoordinatorResponse>();
    call.template operator()<JoinGroupRequest, JoinGroupResponse>();
    call.template operator()<HeartbeatRequest, HeartbeatResponse>();
    call.template operator()<LeaveGroupRequest, LeaveGroupResponse>();
    call.template operator()<SyncGroupRequest, SyncGroupResponse>();
    call.template operator()<DescribeGroupsRequest, DescribeGroupsResponse>();
    call.template operator()<ListGroupsRequest, ListGroupsResponse>();
    call.template operator()<ApiVersionsRequest, ApiVersionsResponse>();
    call.template operator()<CreateTopicsRequest, CreateTopicsResponse>();
    call.template operator()<DeleteTopicsRequest, DeleteTopicsResponse>();
    call.template operator()<InitProducerIdRequest, InitProducerIdResponse>();
    call.template operator()<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>();
    call.template operator()<DescribeConfigsRequest, DescribeConfigsResponse>();
    call.template operator()<AlterConfigsRequest, AlterConfigsResponse>();
    call.template operator()<CreatePartitionsRequest, CreatePartitionsResponse>();
    call.template operator()<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>();
    call.template
    operator()<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>();
    call.template operator()<DescribeClusterRequest, DescribeClusterResponse>();
    call.template operator()<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>();
}

/// Calls `call.template operator()<Message>(version)` for every message and accepted version.
template <class Call>
void for_each_message(const Call& call) {
    for_each_api([&]<class Request, class Response>() {
        const Api& served = api(Request::kApi);
        for (int version = served.accept_min; version <= served.max; ++version) {
            call.template operator()<Request>(version);
            call.template operator()<Response>(version);
        }
    });
}

/// Walks a message as the decoder does, but draws what it fills in: only what the version has.
class Filler : public Walk<Filler> {
public:
    static constexpr bool kWrites = false;

    Filler(property::Random& random, int version, bool flexible) noexcept
        : Walk(version, flexible), random_(&random) {}

    template <class T>
    void field(T& value) {
        if constexpr (std::is_same_v<T, bool>)
            value = random_->chance(50);
        else if constexpr (kIsNumber<T>)
            value = static_cast<T>(random_->next());
        else
            fields(*this, value);
    }
    void field(Uuid& value) {
        for (auto& byte : value) field(byte);
    }
    void field(std::string& value) {
        value.assign(random_->below(random_->chance(10) ? 300 : 8), '\0');
        for (char& c : value) c = static_cast<char>(random_->next());
    }
    template <class T>
    void field(std::vector<T>& value) {
        value.resize(random_->below(random_->chance(10) && kIsNumber<T> ? 200 : 4));
        for (T& element : value) field(element);
    }
    template <class T>
    void field(std::optional<T>& value) {
        optional(value, true);
    }
    template <class T>
    void optional(std::optional<T>& value, bool may_be_null) {
        if (may_be_null && random_->chance(30))
            value.reset();
        else
            field(value.emplace());
    }
    void bytes(std::string& value) { field(value); }
    void bytes(std::optional<std::string_view>& value) {
        static constexpr std::string_view kRecords = "what lies in the frame and is not copied";
        value.reset();
        if (!random_->chance(30)) value = kRecords.substr(0, random_->below(kRecords.size() + 1));
    }
    template <class T>
    void tagged(unsigned /*tag*/, int first_version, T& value, const T& /*missing*/ = {}) {
        if (flexible() && version() >= first_version && random_->chance(50)) field(value);
    }

private:
    property::Random* random_;
};

template <class Message>
Message drawn(property::Random& random, int version) {
    Message message;
    Filler filler(random, version, api(Message::kApi).flexible(version));
    fields(filler, message);
    return message;
}

template <class Message>
std::string encoded(const Message& message, int version) {
    std::string bytes;
    encode(message, version, bytes);
    return bytes;
}

template <class Message>
std::optional<Message> decoded(std::string_view bytes, int version) {
    Message message;
    if (!decode(bytes, version, message)) return std::nullopt;
    return message;
}

} // namespace kafka_messages
