/* The file $MANIFESTO_HOME/trust.json with its pins, maps and names. Internal to the module trust. */
#ifndef MF_TRUST_PINFILE_H
#define MF_TRUST_PINFILE_H

#include "store/file.h"
#include "trust/trust.h"

struct mf_pin_file {
	struct mf_lock lock; /* held while the file is changed */
	char *path;
	json_t *tree;
};
void mf_pin_file_clear(struct mf_pin_file *f);
#define MF_PIN_FILE_CLEANUP MF_CLEANUP(mf_pin_file_clear)
#define MF_PIN_FILE_INIT                                                                                     \
	{                                                                                                    \
		.lock = MF_LOCK_INIT                                                                         \
	}
/* Reads the file; a missing one counts as empty. With env, takes the lock first, so that the file can be
 * changed. */
int mf_pin_file_open(struct mf_pin_file *f, const char *home, const struct mf_env *env,
		     struct mf_err *err) MF_NODISCARD;
int mf_pin_file_save(const struct mf_pin_file *f, struct mf_err *err) MF_NODISCARD;
/* An object member of the file, added if it is missing; borrowed. NULL: out of memory, or MF_E_PIN (it is not
 * an object). */
json_t *mf_pin_file_object(json_t *tree, const char *member, struct mf_err *err);

/* Does the pattern end in '*', and does the name begin with the part before it? */
bool mf_pattern_fits(const char *pattern, const char *name);
/* The pin (or map) that decides for a name: that of the exact name, else that of the longest prefix. NULL:
 * none. */
json_t *mf_pin_deciding(const json_t *pins, const char *name, const char **pattern);
/* The map that decides for a name; NULL: none. A pin whose pattern is at least as long decides instead:
 * pinning a name excludes other trust repositories for it. */
const json_t *mf_map_deciding(const json_t *maps, const json_t *pins, const char *name, const char **pattern);

/* Checks that '*' is only at the end, and in the target only if the pattern has it, too. target NULL: not a
 * string. MF_E_FORMAT. */
int mf_map_check(const char *pattern, const char *target, struct mf_err *err) MF_NODISCARD;
/* The name to which a map leads from a name that matches its pattern; malloc'd. NULL: out of memory. */
char *mf_map_origin(const char *pattern, const char *target, const char *name);
/* Checks that no target is mapped itself, neither by another map nor by its own (a cycle). MF_E_USAGE. */
int mf_map_check_all(json_t *maps, struct mf_err *err) MF_NODISCARD;

#endif
