#pragma once

/// What the library `replicas`, and the library `storage`, takes for the most replicas.
int most_replicas();
int most_stored();
