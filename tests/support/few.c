/* Linked before the library: a role is divided after a few records, and a catalogue has few. */
#include "oci/artifact.h"
#include "publish/publish.h"

const size_t mf_publish_shard_records = 4;
const size_t mf_catalogue_records = 40;
