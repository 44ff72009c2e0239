/* $MANIFESTO_HOME/trust.json with its pins, maps and names; inside trust only. */
#ifndef MF_TRUST_PINFILE_H
#define MF_TRUST_PINFILE_H

#include "store/file.h"
#include "trust/trust.h"

struct mf_pin_file {
	struct mf_lock lock; /* held while it is changed */
	char *path;
	json_t *tree;
};
void mf_pin_file_clear(struct mf_pin_file *f);
#define MF_PIN_FILE_CLEANUP MF_CLEANUP(mf_pin_file_clear)
#define MF_PIN_FILE_INIT                                                                                     \
	{                                                                                                    \
		.lock = MF_LOCK_INIT                                                                         \
	}
/* Reads it; no file is an empty one. With env, it is locked first, to be changed. */
int mf_pin_file_open(struct mf_pin_file *f, const char *home, const struct mf_env *env,
		     struct mf_err *err) MF_NODISCARD;
int mf_pin_file_save(const struct mf_pin_file *f, struct mf_err *err) MF_NODISCARD;
/* A member of the file that is an object, made when there is none; borrowed. NULL: out of memory, or
 * MF_E_PIN. */
json_t *mf_pin_file_object(json_t *tree, const char *member, struct mf_err *err);

/* Is the pattern a prefix that ends in '*', of this name? */
bool mf_pattern_fits(const char *pattern, const char *name);
/* Of pins, or maps, the one that decides for a name: its own, else that of the longest prefix. NULL: none. */
json_t *mf_pin_deciding(const json_t *pins, const char *name, const char **pattern);
/* The map that decides for a name. A pin that spells out as much of it decides instead: whoever pinned a name
 * believes nobody else about it. NULL: none. */
const json_t *mf_map_deciding(const json_t *maps, const json_t *pins, const char *name, const char **pattern);

/* '*' stands at the end, and in the target only for what it stands for in the pattern. target NULL: it is no
 * text. MF_E_FORMAT. */
int mf_map_check(const char *pattern, const char *target, struct mf_err *err) MF_NODISCARD;
/* The name that a map gives for one that fits its pattern. NULL: out of memory. */
char *mf_map_origin(const char *pattern, const char *target, const char *name);
/* No target may be a name that is mapped: neither another map's, nor its own, which would be a circle.
 * MF_E_USAGE. */
int mf_map_check_all(json_t *maps, struct mf_err *err) MF_NODISCARD;

#endif
