#include "cli/command.h"
#include "cli/output.h"

int mf_cli_run_version(struct mf_cli *cli, struct manifesto_error *err)
{
	(void)err;
	if (cli->json) {
		struct mf_json_out j;
		mf_cli_json_begin(&j, stdout, "version");
		mf_json_add_text(&j, "version", manifesto_version());
		mf_cli_json_end(&j);
	} else {
		(void)printf("manifesto %s\n", manifesto_version());
	}
	return 0;
}
