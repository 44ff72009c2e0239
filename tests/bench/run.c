/* run COUNT COMMAND...: runs a command COUNT times, one after another, until one fails, its input and output
 *being /dev/null, and prints WALL_US CPU_US PEAK_KIB the sums of the first two and the greatest third. A
 *process counts the memory of the one that started it into its own peak, so this program stays small; an
 *interpreter would hide what it measures. */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_us(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static long long cpu_us(const struct rusage *u)
{
	return (u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000000LL + u->ru_utime.tv_usec +
	       u->ru_stime.tv_usec;
}

/* The command's status, or 127 when it did not end by itself. */
static int run_once(char **argv, const posix_spawn_file_actions_t *files, struct rusage *used)
{
	pid_t pid;
	int status;
	if (posix_spawnp(&pid, argv[0], files, NULL, argv, environ) != 0 ||
	    wait4(pid, &status, 0, used) != pid || !WIFEXITED(status))
		return 127;
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t files;
	long long wall = 0, cpu = 0;
	long peak = 0;
	int status = 0;
	if (argc < 3 || posix_spawn_file_actions_init(&files) != 0 ||
	    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0) != 0 ||
	    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0) != 0)
		return 2;
	for (long n = strtol(argv[1], NULL, 10); n > 0 && status == 0; n--) {
		struct rusage used = {0};
		long long start = now_us();
		status = run_once(argv + 2, &files, &used);
		wall += now_us() - start;
		cpu += cpu_us(&used);
		peak = used.ru_maxrss > peak ? used.ru_maxrss : peak;
	}
	(void)posix_spawn_file_actions_destroy(&files);
	(void)printf("%lld %lld %ld\n", wall, cpu, peak);
	return status;
}
