/* In a file of its own: a program that defines this symbol itself has another limit (tests/support/few.c). */
#include "base/limits.h"
#include "publish/publish.h"

const size_t mf_publish_shard_records = MF_MAX_SHARD_RECORDS;
