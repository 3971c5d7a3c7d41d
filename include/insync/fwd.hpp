#pragma once

/// Forward declarations of the public types, for headers that only name them.
namespace insync {

class IsrSet;
class NodeList;
class PartitionHandle;
class ReplicationWaits;
struct Explanation;
struct GroupState;
struct IsrChange;
struct IsrConfig;
struct IsrCounters;
struct IsrStats;
struct LeaderPositions;
struct PartitionReport;
struct ProgressReport;
struct PublishedIsr;
struct ReplicaProgress;
struct SafeToStop;
struct SteadyClock;

template <class View, class C>
class IsrManager;

} // namespace insync
