/* This constant has a file of its own, so that a test program can define the symbol itself with a lower limit
 * (tests/support/few.c). */
#include "base/limits.h"
#include "publish/publish.h"

const size_t mf_publish_shard_records = MF_MAX_SHARD_RECORDS;
