#include "cli/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include "base/env.h"

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

/* 0 when fd can be read, else -1 with errno; EAGAIN: poll again. */
static int poll_once(int fd, const sigset_t *mask)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	if (pending) {
		errno = EINTR;
		return -1;
	}
	int n = ppoll(&p, 1, NULL, mask);
	if (n > 0)
		return 0;
	if (n == 0 || errno == EINTR)
		errno = EAGAIN;
	return -1;
}

/* The signals are blocked except in ppoll: otherwise one could arrive between the test of `pending` and the
 * read, and the read would wait for ever, with the terminal's echo off. */
static int wait_readable(int fd)
{
	sigset_t stop, old;
	(void)sigemptyset(&stop);
	for (size_t i = 0; i < sizeof stopping / sizeof stopping[0]; i++)
		(void)sigaddset(&stop, stopping[i]);
	if (sigprocmask(SIG_BLOCK, &stop, &old) < 0)
		return -1;
	int rc;
	do
		rc = poll_once(fd, &old);
	while (rc < 0 && errno == EAGAIN);
	int sys = errno;
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	errno = sys;
	return rc;
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
