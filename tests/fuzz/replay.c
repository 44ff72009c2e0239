/* Runs a fuzz target once on each file of its corpus, without libFuzzer: corpora are regression tests
 * with every compiler. Arguments: files and directories. Output as tests/run reads it. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_BYTES ((size_t)64 << 20)

static int checks;

static void run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	if (!f || fstat(fileno(f), &st) != 0 || st.st_size < 0 || (uint64_t)st.st_size > MAX_BYTES) {
		perror(path);
		exit(1);
	}
	/* Exactly as long as the input, so that a sanitizer detects a read beyond its end. */
	size_t n = (size_t)st.st_size;
	uint8_t *data = malloc(n ? n : 1);
	if (!data || fread(data, 1, n, f) != n) {
		perror(path);
		exit(1);
	}
	(void)fclose(f);
	(void)LLVMFuzzerTestOneInput(data, n);
	free(data);
	printf("ok - %s\n", path);
	(void)fflush(stdout);
	checks++;
}

static int not_hidden(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static void run_directory(const char *path)
{
	struct dirent **entries = NULL;
	int n = scandir(path, &entries, not_hidden, alphasort);
	if (n < 0) {
		perror(path);
		exit(1);
	}
	for (int i = 0; i < n; i++) {
		char name[4096];
		int len = snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
		if (len < 0 || (size_t)len >= sizeof name)
			exit(1);
		run_file(name);
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct stat st;
		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			run_directory(argv[i]);
		else
			run_file(argv[i]);
	}
	printf("1..%d\n", checks);
	return 0;
}
