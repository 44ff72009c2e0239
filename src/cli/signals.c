#include "cli/signals.h"

#include <signal.h>
#include <stddef.h>

static const int stopping[] = {SIGINT, SIGTERM, SIGHUP};
static volatile sig_atomic_t pending;

static void on_signal(int number)
{
	pending = number;
	for (size_t i = 0; i < sizeof stopping / sizeof stopping[0]; i++)
		(void)signal(stopping[i], SIG_DFL);
}

void mf_cli_signals_install(void)
{
	struct sigaction old, ignore = {.sa_handler = SIG_IGN}, stop = {.sa_handler = on_signal};
	(void)sigemptyset(&ignore.sa_mask);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	/* No SA_RESTART: a read from a terminal or pipe must return. */
	(void)sigemptyset(&stop.sa_mask);
	for (size_t i = 0; i < sizeof stopping / sizeof stopping[0]; i++)
		if (sigaction(stopping[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			(void)sigaction(stopping[i], &stop, NULL);
}

int mf_cli_signals_pending(void *unused)
{
	(void)unused;
	return pending;
}

void mf_cli_signals_reraise(void)
{
	int number = pending;
	if (!number)
		return;
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}
