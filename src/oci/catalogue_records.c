/* In a file of its own: a program that defines this symbol itself has another limit (tests/support/few.c). */
#include "base/limits.h"
#include "oci/artifact.h"

const size_t mf_catalogue_records = MF_MAX_CATALOGUE_RECORDS;
