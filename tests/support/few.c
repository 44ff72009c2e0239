/* Linked before the library: a role is divided after a few records. */
#include "publish/publish.h"

const size_t mf_publish_shard_records = 4;
