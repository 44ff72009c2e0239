/* The images of a command that takes several: its arguments, and those that --images lists. */
#ifndef MF_CLI_IMAGES_H
#define MF_CLI_IMAGES_H

#include "base/str.h"
#include "cli/command.h"

struct mf_cli_images {
	const char **v;
	size_t n, cap;
	struct mf_buf piped, listed; /* text read for argument '-' and for --images; lines end with NUL */
};
void mf_cli_images_clear(struct mf_cli_images *im);
#define MF_CLI_IMAGES_CLEANUP MF_CLEANUP(mf_cli_images_clear)
/* Collects the images in the order given. MF_E_USAGE. */
int mf_cli_images_collect(const struct mf_cli *cli, struct mf_cli_images *im,
			  struct manifesto_error *err) MF_NODISCARD;

#endif
