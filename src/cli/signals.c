#include "cli/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

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
	(void)sigaction(SIGXFSZ, &ignore, NULL); /* a limit on file sizes is an error like a full disk */
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

/* Waits with the signals let in only by ppoll: between a look at `pending` and a plain read, one could slip
 * through and the read would wait for ever, with the terminal's echo off. */
static int wait_readable(int fd)
{
	sigset_t stop, old;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	(void)sigemptyset(&stop);
	for (size_t i = 0; i < sizeof stopping / sizeof stopping[0]; i++)
		(void)sigaddset(&stop, stopping[i]);
	if (sigprocmask(SIG_BLOCK, &stop, &old) < 0)
		return -1;
	int rc = 0;
	do
		rc = pending ? -1 : ppoll(&p, 1, NULL, &old);
	while (rc < 0 && !pending && errno == EINTR);
	int sys = pending ? EINTR : errno;
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	errno = sys;
	return rc < 0 ? -1 : 0;
}

ssize_t mf_cli_signals_read(int fd, void *p, size_t n)
{
	for (;;) {
		if (wait_readable(fd) < 0)
			return -1;
		ssize_t got = read(fd, p, n);
		if (got >= 0 || errno != EINTR || pending)
			return got;
	}
}

void mf_cli_signals_reraise(void)
{
	int number = pending;
	if (!number)
		return;
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}
