// The conformance kit on the view of a consensus library: docs/write_a_view.md tells the story. The
// library is toy_raft.hpp, its view toy_view.hpp; put yours in their place.
#include "toy_raft.hpp"
#include "toy_view.hpp"

#include <insync/testing/conformance.hpp>
#include <insync/types.hpp>

#include <fmt/format.h>

#include <map>
#include <memory>
#include <string_view>

class ToyCluster : public toy::Rig {
public:
    using View = ToyView;

    ToyCluster() {
        for (const insync::NodeId id : nodes()) make_view(id);
    }
    ToyView& view(insync::NodeId id) { return *views_.at(id); }
    void start(insync::NodeId id) {
        toy::Rig::start(id);
        make_view(id); // a process that starts again has a new view
    }
    [[nodiscard]] static std::string_view cannot(insync::testing::ClusterAbility) {
        return ""; // this library can do it all
    }

private:
    void make_view(insync::NodeId id) { views_[id] = std::make_unique<ToyView>(node(id)); }

    std::map<insync::NodeId, std::unique_ptr<ToyView>> views_;
};
static_assert(insync::testing::ConformanceCluster<ToyCluster>);

int main() {
    const auto results = insync::testing::check_conformance([] { return ToyCluster{}; });
    for (const auto& result : results) fmt::print("{}\n", result);
    return insync::testing::conforms(results) ? 0 : 1;
}
