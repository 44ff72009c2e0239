/* libmanifesto: signed metadata for container images, verified before it is handed out.
 *
 * A context holds configuration, connections and unlocked keys; use one per thread. Every function that can
 * fail returns 0 or -1. On failure it fills *err and leaves every other output as it was. The library never
 * prints, exits, changes signals, the umask or the environment, and reads no environment variable except the
 * proxy settings that libcurl honours and TMPDIR.
 *
 * Options. An option struct begins with `size`; start from MANIFESTO_INIT, which sets it and zeroes the rest.
 * Later versions only append members, so a program keeps working with a newer library: members that its
 * struct lacks count as zero. A struct that is larger than the library's is accepted when the members that
 * the library does not know are zero, else MANIFESTO_USAGE. Strings and arrays in options are borrowed for
 * the call (manifesto_new copies them). A zero or NULL member means its default, which its comment names.
 *
 * Results. The library allocates a result and passes it out as a pointer to const; manifesto_result_free
 * frees it with everything that it points to. Lists in results are arrays of pointers, so that the structs in
 * them can grow, too: use members by name and never sizeof. A string that is absent is NULL.
 *
 * Times are seconds since 1970-01-01T00:00:00Z, 0 when absent; durations are seconds unless the name says
 * _ms; sizes are octets. Text is UTF-8, ends with NUL and is not escaped for a terminal.
 *
 * Errors that every function can give: MANIFESTO_USAGE for a malformed argument, MANIFESTO_UNEXPECTED for a
 * bug, a local file or a lack of memory. What reads a trust repository also gives MANIFESTO_UNAVAILABLE,
 * _NOT_AUTHORISED, _INVALID, _EXPIRED, _ROLLBACK and _PIN; what signs, MANIFESTO_KEY and _CONFLICT. The
 * comment of a function names the others.
 *
 * Specifications: The Update Framework 1.0 (verification: section 5, "Detailed workflows"); Notary v1 (wire
 * format and HTTP API); OCI distribution-spec 1.1 and image-spec 1.1 (blobs, manifests, referrers).
 * docs/record-format.md has the format of a record. */
#ifndef MANIFESTO_MANIFESTO_H
#define MANIFESTO_MANIFESTO_H

#include "manifesto/context.h"
#include "manifesto/copy.h"
#include "manifesto/gate.h"
#include "manifesto/keys.h"
#include "manifesto/records.h"
#include "manifesto/roles.h"
#include "manifesto/trust.h"

#endif
