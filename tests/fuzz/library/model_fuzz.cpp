// The tracker against the naive model of tests/property, both led by the input: elections, pauses,
// broken views and clocks, pushes that are late or wrong. After each step all that the tracker
// answers must be what the rules of docs/rules.md say.

#include "fuzz/support/input.hpp"
#include "fuzz/support/require.hpp"
#include "property/model_world.hpp"

#include <insync/testing/scripted_view.hpp>

namespace {

template <class View>
void run(const property::Random& random) {
    property::World<View> world{random};
    while (!world.random().at_end()) fuzz::require(world.step(), world.failure);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input{data, size};
    const std::uint64_t style = input.below(3);
    const std::string_view tape = input.rest();
    property::Random random{1, {reinterpret_cast<const std::uint8_t*>(tape.data()), tape.size()}};
    switch (style) {
    case 0: run<insync::testing::ScriptedView>(random); break;
    case 1: run<insync::testing::VersionedScriptedView>(random); break;
    default: run<insync::testing::PushingScriptedView>(random); break;
    }
    return 0;
}
