#pragma once

/// Everything of the core. The adapters, the Kafka functions, the metrics and the testing kit are
/// headers of their own.
// IWYU pragma: begin_exports
#include <insync/clock.hpp>
#include <insync/config.hpp>
#include <insync/consensus_view.hpp>
#include <insync/counters.hpp>
#include <insync/errors.hpp>
#include <insync/events.hpp>
#include <insync/explain.hpp>
#include <insync/format.hpp>
#include <insync/handle.hpp>
#include <insync/high_watermark.hpp>
#include <insync/isr_manager.hpp>
#include <insync/isr_rules.hpp>
#include <insync/isr_set.hpp>
#include <insync/isr_store.hpp>
#include <insync/isr_update_loop.hpp>
#include <insync/node_list.hpp>
#include <insync/partition_options.hpp>
#include <insync/replica_progress.hpp>
#include <insync/replication_waits.hpp>
#include <insync/reports.hpp>
#include <insync/types.hpp>
#include <insync/version.hpp>
// IWYU pragma: end_exports
